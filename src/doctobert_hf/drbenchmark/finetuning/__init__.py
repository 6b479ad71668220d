"""Fine-tuning on DrBenchmark: any Transformers encoder, every task, tuned and repeated."""
