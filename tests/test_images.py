import numpy as np

from colorkit.images import Images


def test_slices_of_images_keep_their_labels(pictures):
    images = Images(pictures, labels=np.arange(16), class_names=list("abcdefghijklmnop"))
    assert images[3:5].labels.tolist() == [3, 4]
    assert images[np.array([5, 2])].labels.tolist() == [5, 2]
    np.testing.assert_array_equal(np.asarray(images[np.array([5, 2])]), pictures[[5, 2]])
