"""Tables in a text: what stands below a name for passwords, and nothing else."""

import pytest

from doctobert_hf.hub.stage.tables import cells


def found(text):
    return [cell.decode() for cell in cells(text.encode())]


def test_cells_below_the_name_alone():
    assert found("login,password,note\njean,un,x\npaul,deux,y\n") == ["un", "deux"]
    assert found('"login";"mot de passe"\r\n"jean";"un"\r\n') == ["un"]
    assert found("api_key\tmdp\nun\tdeux") == ["un", "deux"]
    assert found("| x | Password |\n| --- | :-: |\n| a | `un` |\n\nAilleurs, password\n") == ["un"]


def test_a_table_ends_where_its_lines_do():
    assert found("a,password\nb,un\nDu texte.\nc,non\n") == ["un"]
    assert found("a,password\nb,un\n\na,mdp\nc,deux\n") == ["un", "deux"]
    assert found("password\nMot de passe\n") == []
    assert found("Le password, le login\net un mot\n") == []


def test_a_delimiter_between_quotes_ends_no_table():
    text = 'nom,password\n"Petit, Anne",un\n"a ""b"", c","deux, trois"\nd,quatre\n'
    assert found(text) == ["un", "deux, trois", "quatre"]
    assert found('nom;"mot de passe"\n"a;b;c";"un"\n') == ["un"]
    assert found('nom,password\n5" et plus,un\n"ouvert,deux\n') == ["un", "deux"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("line", ["a,password\n", "password,", "|mdp", "\npassword\t", '",', ',"'])
def test_many_headers_take_no_more_than_their_length(line):
    list(cells(line.encode() * 100_000))
