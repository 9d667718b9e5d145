from PIL import Image

from colorkit.__main__ import main


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_equal_names_of_two_folders_do_not_overwrite_each_other(tmp_path, photos, model):
    (photos / "deep" / "c.png").rename(photos / "deep" / "a.png")
    arguments = ["in/a.png", "in/deep/a.png", "-o", "out", "--model", model]
    assert main(["colorize", *arguments]) == 0
    assert names(tmp_path / "out") == ["a.png", "deep-a.png"]


def test_inputs_are_never_overwritten(photos, model, capsys):
    before = (photos / "a.png").read_bytes()
    assert main(["colorize", "in", "-o", "in", "--model", model]) == 2
    assert main(["colorize", "in/a.png", "-o", "in/a.png", "--model", model]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert (photos / "a.png").read_bytes() == before


def test_inputs_are_never_overwritten_by_those_of_another_folder(photos, model, capsys):
    before = (photos / "a.png").read_bytes()
    assert main(["colorize", "in/deep/c.png", "in/a.png", "-o", "in", "--model", model]) == 2
    assert (photos / "a.png").read_bytes() == before
    assert "would overwrite" in capsys.readouterr().err


def test_output_folder_inside_the_input_is_not_colored_again(tmp_path, photos, model):
    for _ in range(2):
        assert main(["colorize", "in", "-o", "in/out", "--model", model]) == 0
    assert names(tmp_path / "in" / "out") == ["a.png", "b.jpg", "deep/c.png"]


def test_folder_into_one_image_is_an_error(photos, model, capsys):
    assert main(["colorize", "in", "-o", "all.png", "--model", model]) == 2
    assert "must be a folder" in capsys.readouterr().err


def test_format_that_is_only_read_becomes_png(tmp_path, photos, model):
    Image.new("L", (9, 9)).save(photos / "old.gif")
    assert main(["colorize", "in/old.gif", "-o", "out", "--model", model]) == 0
    assert names(tmp_path / "out") == ["old.gif.png"]


def test_unknown_ending_of_the_output_names_the_option(photos, capsys):
    assert main(["colorize", "in/a.png", "-o", "out.xyz"]) == 2
    assert "--output must end in one of" in capsys.readouterr().err
