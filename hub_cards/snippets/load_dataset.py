from datasets import load_dataset

rows = load_dataset("{{ repo_id }}", "{{ first.name }}", split="{{ first.splits[0].split }}")
print(rows.features)
print(rows[0])
