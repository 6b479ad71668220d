from datasets import load_dataset

rows = load_dataset(
    "{{ repo_id }}", "{{ first.name }}", split="{{ first.splits[0].split }}", streaming=True
)
for row in rows.take(2):
    print(row)
