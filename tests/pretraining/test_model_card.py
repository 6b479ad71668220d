"""The card that MLMTrainer writes is this package's."""

import pytest

from doctobert_hf.errors import OutputError


@pytest.mark.long
@pytest.mark.versions
def test_the_card_of_a_trainer_is_ours_and_others_stay(make_trainer, tmp_path):
    trainer = make_trainer(max_tokens=6000)
    trainer.train()
    trainer.create_model_card(license="mit", model_name="petit", dataset_tags="me/texts")
    place = tmp_path / "run" / "README.md"
    card = place.read_text()
    assert "doctobert-hf" in card.split("---")[1] and "license: mit" in card
    assert "me/texts" in card.split("---")[1] and "# petit" in card
    assert f"{trainer.state.global_step} steps of" in card and "| step | epoch | loss |" in card
    mark = "<!-- keep:intended-use "
    head, tail = card.split(mark)
    place.write_text(head + mark + tail.replace("-->", "-->\nEcrit par nous.", 1))
    trainer.create_model_card(license="mit")
    assert "Ecrit par nous." in place.read_text()
    place.write_text("# Notes\n")
    with pytest.raises(OutputError, match="did not write it"):
        trainer.create_model_card()
    assert place.read_text() == "# Notes\n"
