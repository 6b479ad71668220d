"""The whole way at laptop size, from documents to a measured encoder and a report."""
