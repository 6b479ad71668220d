"""From a staged folder to the Hub: one commit, during training too, and its check."""
