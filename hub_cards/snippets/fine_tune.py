from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers import Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
model = AutoModelForSequenceClassification.from_pretrained("{{ repo_id }}", num_labels=2)
rows = Dataset.from_dict(
    {"text": ["Douleur thoracique aiguë.", "Renouvellement d'ordonnance."], "label": [1, 0]}
)
rows = rows.map(lambda row: tokenizer(row["text"], truncation=True))
arguments = TrainingArguments("fine-tuned", max_steps=2, learning_rate=5e-5, report_to="none")
trainer = Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer)
trainer.train()
