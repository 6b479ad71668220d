"""What a push to the Hub would send: the model, checked by reloading, with its card."""

from doctobert_hf.hub import CardFacts, Target, push_model

# Yours: push_model(FOLDER, "OWNER/NAME", facts); nothing is sent with dry_run.
facts = CardFacts(license="apache-2.0", authors=("A. Martin",), contact="a.martin@example.org")
report = push_model("adapted", Target("me/adapted", dry_run="published"), facts)
for name, file in report.files.items():
    print(f"{file['size']:>10,}  {name}")
print("not recorded:", ", ".join(report.gaps) or "nothing")
