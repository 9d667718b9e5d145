import numpy as np
import pytest
from PIL import Image

from colorkit.data.image_files import read_picture
from colorkit.data.images import Images, typical


def test_slices_of_images_keep_their_labels(pictures):
    images = Images(pictures, labels=np.arange(16), class_names=list("abcdefghijklmnop"))
    assert images[3:5].labels.tolist() == [3, 4]
    assert images[np.array([5, 2])].labels.tolist() == [5, 2]
    np.testing.assert_array_equal(np.asarray(images[np.array([5, 2])]), pictures[[5, 2]])


def test_labels_of_another_number_raise(pictures):
    with pytest.raises(ValueError, match=r"`labels` must be 16 values\. Received: 3"):
        Images(pictures, labels=[0, 1, 2])


def test_names_have_no_character_that_breaks_tables(pictures):
    assert Images(pictures, name="folder:a|b  c ").name == "folder:a b c"


def test_one_path_as_images_raises():
    with pytest.raises(ValueError, match=r"folder:PATH.*Received: 'my_pictures'"):
        Images("my_pictures")


@pytest.fixture
def paths(tmp_path, pictures):
    """Return files of six images, of which the second and fourth are damaged."""
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for i, path in enumerate(paths):
        Image.fromarray(pictures[i]).save(path)
    content = paths[1].read_bytes()
    paths[1].write_bytes(content[: len(content) // 2])  # its header is still complete
    paths[3].write_text("not a picture")
    return paths


def test_readable_leaves_out_damaged_files_and_reads_each_once(paths, pictures, monkeypatch):
    read, visited = [], {}
    monkeypatch.setattr(
        "colorkit.data.images.read_picture", lambda path: read.append(path) or read_picture(path)
    )
    images = Images(paths, labels=np.arange(6), weights=np.arange(1, 7), name="mine", left_out=1)
    with pytest.warns(UserWarning, match=r"^2 of 6 images of mine .*left out: .*1\.png, .*3\.png$"):
        kept = images.readable(lambda i, rgb: visited.update({i: rgb}))
    assert sorted(read) == paths
    assert kept.left_out == 3 and images.left_out == 1
    assert kept.labels.tolist() == [0, 2, 4, 5] and kept.weights.tolist() == [1, 3, 5, 6]
    assert list(visited) == [0, 2, 4, 5]
    np.testing.assert_array_equal(np.asarray(kept), pictures[[0, 2, 4, 5]])
    np.testing.assert_array_equal(np.stack(list(visited.values())), pictures[[0, 2, 4, 5]])
    assert kept.readable() is kept, "no other file is damaged"


def test_images_without_readable_files_raise(paths, pictures):
    with pytest.raises(ValueError, match=r"2 of 2 images of .* nothing is left.*1\.png, .*3\.png"):
        Images([paths[1], paths[3]]).readable()
    assert len(Images(pictures).readable()) == 16


def test_vanished_files_raise_and_are_not_left_out(paths):
    paths[2].unlink()
    with pytest.raises(FileNotFoundError, match=r"2\.png"):
        Images(paths).readable()


@pytest.mark.parametrize(
    "weights", [[1, 2], [1, -1, 1], [0, 0, 0], [1, np.nan, 1], [1, np.inf, 1], [[1, 1, 1]]]
)
def test_invalid_weights_raise(pictures, weights):
    with pytest.raises(ValueError, match="`weights` must be 3 non-negative numbers"):
        Images(pictures[:3], weights=weights)


def test_drawing_from_images_of_weight_zero_raises(pictures):
    images = Images(pictures[:4], weights=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="`weights` must not all be 0"):
        typical(images[:2])
    assert typical(images[1:], count=2).weights.tolist() == [1, 1]


def test_known_sizes_of_items_are_not_read_from_files():
    images = Images(["none.png", "no.png"], item_sizes=np.array([[5, 7], [9, 4]]))
    assert images.smallest == (5, 4) and images.shape is None and images.source_side == 4
    assert images[1:].shape == (9, 4)


def test_slices_of_images_keep_their_weights(pictures):
    images = Images(pictures, weights=np.arange(1, 17))
    assert images[3:5].weights.tolist() == [4, 5]
    assert images[np.array([5, 2])].weights.tolist() == [6, 3]
    assert images[np.arange(16) % 8 == 0].weights.tolist() == [1, 9]
    assert images.at_size(8)[:2].weights.tolist() == [1, 2]
    assert images.at_size(8).shape == (8, 8) and images.shape == (16, 16)


def test_datasets_in_memory_are_joined_without_copying(pictures):
    first, second = Images(pictures[:6], labels=np.zeros(6)), Images(pictures[6:], name="other")
    both = Images.concatenate([first, second])
    assert np.shares_memory(both[2], pictures) and np.shares_memory(both[9], pictures)
    np.testing.assert_array_equal(np.asarray(both), pictures)
    assert (both.name, both.labels, both.weights) == ("images + other", None, None)
    part = Images.concatenate([first[4:], both[:1]], shares=[1, 1])[1:]
    np.testing.assert_array_equal(np.asarray(part), pictures[[5, 0]])
    assert part.weights.tolist() == [0.5, 1]


def test_joined_datasets_keep_their_sizes(pictures):
    images = Images(pictures[:3])
    both = Images.concatenate([images.at_size(8), images, images.at_size(12)])
    assert [rgb.shape[0] for rgb in both] == [8] * 3 + [16] * 3 + [12] * 3
    assert both.smallest == (8, 8) and both.shape is None and both.source_side == 16
    np.testing.assert_array_equal(both[8], images.at_size(12)[2])
    assert both.at_size(4).shape == (4, 4)


def test_joined_videos_have_numbers_of_their_own(pictures):
    film, plain = Images(pictures[:3], is_sequence=True), Images(pictures[:2])
    both = Images.concatenate([plain, film, Images.concatenate([film, plain, film])])
    assert both.films.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 3]
    assert not both[:2].readable().films.any() and plain.films is None


def test_typical_images_are_drawn_in_proportion_to_weights():
    one_size = [Images(np.full((40, 8, 8, 3), 10 * i, "uint8")) for i in range(2)]
    other_size = Images(np.full((80, 9, 8, 3), 20, "uint8"))
    for sets, shape in ((one_size, (8, 8)), ([*one_size, other_size], (6, 6))):
        images = Images.concatenate(sets, shares=range(1, len(sets) + 1))
        found = typical(images, count=60, size=6)
        assert found.shape == shape and len(found) == 60
        counts = np.unique([rgb[0, 0, 0] for rgb in found], return_counts=True)[1]
        np.testing.assert_allclose(
            counts, 60 * np.arange(1, len(sets) + 1) / len(sets) / (len(sets) + 1) * 2, atol=1
        )
    alike = typical(Images.concatenate([*one_size, other_size]), count=60, size=6)
    assert len(alike) == 60 and alike.shape == (6, 6)
    assert typical(one_size[0]) is one_size[0]


def test_images_may_mix_pil_images_arrays_and_files(paths, pictures):
    images = Images([Image.fromarray(pictures[1]), pictures[2], paths[0], Image.new("L", (9, 8))])
    assert images.smallest == (8, 9) and images[3].shape == (8, 9, 3) and images.shape is None
    both = Images.concatenate([images, images.at_size(4)])
    np.testing.assert_array_equal(both[0], pictures[1])
    assert both[7].shape == (4, 4, 3) and len(both.readable()) == 8
