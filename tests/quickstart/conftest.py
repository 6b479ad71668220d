"""The quickstart's own data, whatever corpora the machine has."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def without_corpora():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DOCTOBERT_DATA_DIR", raising=False)
        yield
