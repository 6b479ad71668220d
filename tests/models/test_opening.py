"""Opening: a folder that is nearly there is suggested, and the Hub is not asked for it."""

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.models.opening import open_pretrained, open_tokenizer


def test_a_misspelt_folder_is_suggested(tmp_path, monkeypatch):
    from transformers import AutoConfig

    monkeypatch.chdir(tmp_path)
    (tmp_path / "ft" / "model").mkdir(parents=True)
    with pytest.raises(UsageError, match="Did you mean the folder 'ft/model'"):
        open_pretrained(AutoConfig, "ft/modell")
    with pytest.raises(UsageError, match="No tokenizer at 'ft/modell'.*the folder 'ft/model'"):
        open_tokenizer("ft/modell")
    with pytest.raises(UsageError) as error:
        open_pretrained(AutoConfig, "almanach/camembert-base")
    assert "Did you mean" not in str(error.value)
