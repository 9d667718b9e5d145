import numpy as np
import pytest

from colorkit.images import Images


def test_slices_of_images_keep_their_labels(pictures):
    images = Images(pictures, labels=np.arange(16), class_names=list("abcdefghijklmnop"))
    assert images[3:5].labels.tolist() == [3, 4]
    assert images[np.array([5, 2])].labels.tolist() == [5, 2]
    np.testing.assert_array_equal(np.asarray(images[np.array([5, 2])]), pictures[[5, 2]])


def test_images_need_a_label_each(pictures):
    with pytest.raises(ValueError, match="Received 3 for 16"):
        Images(pictures, labels=[0, 1, 2])


def test_names_can_stand_in_tables(pictures):
    assert Images(pictures, name="folder:a|b  c ").name == "folder:a b c"


def test_a_path_is_no_list_of_pictures():
    with pytest.raises(ValueError, match=r"Received: 'my_pictures'.*folder:PATH"):
        Images("my_pictures")
