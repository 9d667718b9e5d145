"""The Turing test: which of two images was colored by a machine?"""

import base64
import io
import json
import numbers
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from colorkit.checks import check_weight, check_whole, is_list
from colorkit.files import make_folder, written_whole
from colorkit.pictures import as_rgb, checksum

_SIDES = ("left", "right")


class TuringTest:
    """Pairs of a true and a colored image, shown for a moment; a person says which is colored.

    The sides and the order are drawn by chance from the seed. Answers are kept in a file after each
    one, and a test that was interrupted goes on with the next pair. The first trials are practice
    and do not count.

    Args:
        truth: True images, each as `pictures.as_rgb` takes it.
        colored: Colored images, in the same order.
        path: JSON file for the answers; `None` keeps them in memory.
        num_practice: How many trials at the beginning are practice.
        seed: Seed of order and sides.

    Raises:
        FileNotFoundError: If an image is a path and there is no such file.
        ValueError: If either is no list of images, there are not as many of both, too few for
            practice and one trial, one is no image, sizes differ, `num_practice` or `seed` is no
            whole number from 0 on, or the file holds no answers, or those of another test.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", section 3.1: a second a pair, 10 pairs
        of practice, then 40; a fooling rate of 50 % is as good as the truth.
    """

    def __init__(self, truth, colored, path=None, *, num_practice=10, seed=0):
        check_whole("num_practice", num_practice, least=0)
        check_whole("seed", seed, least=0)  # a test that goes on must find the same order
        truth, colored = _listed("truth", truth), _listed("colored", colored)
        if len(truth) != len(colored) or len(truth) <= num_practice:
            raise ValueError(
                f"There must be as many colored images as true ones, and more than the "
                f"{num_practice} of practice. Received {len(colored)} and {len(truth)}"
            )
        truth, colored = ([as_rgb(picture) for picture in each] for each in (truth, colored))
        for i, (a, b) in enumerate(zip(truth, colored, strict=True)):
            if a.shape != b.shape:
                raise ValueError(
                    f"Images of a pair must have the same size. Received {a.shape} and "
                    f"{b.shape} at {i}"
                )
        rng = np.random.default_rng(seed)
        self._pairs = truth, colored
        self._order = rng.permutation(len(truth))
        self._fakes = rng.integers(0, 2, len(truth))
        self.num_practice = int(num_practice)
        self.path = None if path is None else Path(path).expanduser()
        self._test = {
            "seed": int(seed),
            "pictures": len(truth),
            "practice": self.num_practice,
            "checksum": checksum((*truth, *colored)),
        }
        self.answers = self._kept()

    def __len__(self):
        return len(self._order)

    @property
    def is_over(self):
        """Whether all pairs were answered."""
        return len(self.answers) == len(self)

    @property
    def is_practice(self):
        """Whether the next answer does not count."""
        return len(self.answers) < self.num_practice

    def pair(self):
        """The next pair, left and right.

        Raises:
            ValueError: If all pairs were answered.
        """
        if self.is_over:
            raise ValueError(f"All {len(self)} pairs were answered; take another file for more.")
        trial = len(self.answers)
        truth, colored = (pictures[self._order[trial]] for pictures in self._pairs)
        return (colored, truth) if self._fakes[trial] == 0 else (truth, colored)

    def answer(self, side, seconds=None):
        """Say which side of the next pair looks colored by a machine.

        Args:
            side: "left" or "right".
            seconds: How long the answer took, or `None`. `show` measures from when a pair is sent
                to when an answer comes back, the way through the network included.

        Returns:
            Whether that is so.

        Raises:
            ValueError: If the side is unknown, `seconds` is no finite number from 0 on, or all
                pairs were answered.
        """
        if side not in _SIDES:
            raise ValueError(f"`side` must be one of {_SIDES}. Received: {side!r}")
        if seconds is not None:
            check_weight("seconds", seconds)
            seconds = float(seconds)
        self.pair()
        trial = len(self.answers)
        is_right = _SIDES[self._fakes[trial]] == side
        self.answers.append(
            {
                "picture": int(self._order[trial]),
                "side": side,
                "right": is_right,
                "seconds": seconds,
                "practice": trial < self.num_practice,
            }
        )
        if self.path is not None:
            make_folder(self.path.parent)
            with written_whole(self.path) as temporary:
                temporary.write_text(json.dumps({**self._test, "answers": self.answers}, indent=1))
        return is_right

    def fooling_rate(self, confidence=0.95):
        """Share of counted trials in which the true image was taken for the colored one.

        The interval takes trials as independent, as they nearly are for one person.

        Args:
            confidence: Level of the interval.

        Returns:
            `(rate, low, high)`, the interval by Wilson; `(nan, 0, 1)` without counted answers.

        Raises:
            ValueError: If `confidence` is not between 0 and 1.
        """
        if not (isinstance(confidence, numbers.Real) and 0 < confidence < 1):
            raise ValueError(
                f"`confidence` must be a number between 0 and 1. Received: {confidence!r}"
            )
        counted = [answer for answer in self.answers if not answer["practice"]]
        if not counted:
            return float("nan"), 0.0, 1.0
        test = binomtest(sum(not answer["right"] for answer in counted), len(counted))
        interval = test.proportion_ci(confidence, method="wilson")
        return test.statistic, interval.low, interval.high

    def show(self, seconds=1.0, size=256):
        """Take the test in a notebook: two images for a moment, then two buttons.

        Args:
            seconds: How long a pair is shown.
            size: Height in pixels at which images are shown.

        Returns:
            An `ipywidgets` box.

        Raises:
            ImportError: If ipywidgets is not installed.
            ValueError: If `seconds` is no finite number from 0 on, or `size` not a positive whole
                number.
        """
        check_weight("seconds", seconds)
        check_whole("size", size)
        try:
            import ipywidgets
        except ImportError as error:
            raise ImportError("The buttons need ipywidgets: pip install ipywidgets") from error
        pictures = ipywidgets.HTML()
        message = ipywidgets.HTML("Which one was colored by a machine?")
        start = ipywidgets.Button(description="next pair")
        buttons = {side: ipywidgets.Button(description=side, disabled=True) for side in _SIDES}
        shown = {}

        def next_pair(_):
            if shown or self.is_over:
                return  # a second click, before the first one was seen
            start.disabled = True
            pictures.value = _hidden_after(self.pair(), seconds, size)
            shown["at"] = time.monotonic()
            for button in buttons.values():
                button.disabled = False

        def answered(side):
            def react(_):
                if not shown:
                    return
                was_practice = self.is_practice
                is_right = self.answer(side, round(time.monotonic() - shown.pop("at"), 2))
                for button in buttons.values():
                    button.disabled = True
                pictures.value = ""
                message.value = self._progress(is_right if was_practice else None)
                start.disabled = self.is_over

            return react

        start.on_click(next_pair)
        for side, button in buttons.items():
            button.on_click(answered(side))
        message.value, start.disabled = self._progress(None), self.is_over
        return ipywidgets.VBox(
            [message, pictures, ipywidgets.HBox([buttons["left"], buttons["right"], start])]
        )

    def _progress(self, practiced):
        if self.is_over:
            rate, low, high = self.fooling_rate()
            return f"Fooled in {rate:.0%} of the trials (95 % interval {low:.0%} to {high:.0%})."
        verdict = {None: "", True: "Right. ", False: "Wrong. "}[practiced]
        kind = "practice" if self.is_practice else "test"
        return (
            f"{verdict}Pair {len(self.answers) + 1} of {len(self)} ({kind}): which one was "
            "colored by a machine?"
        )

    def _kept(self):
        if self.path is None or not self.path.exists():
            return []
        try:
            kept = json.loads(self.path.read_text())
            answers = kept.pop("answers")
            if not isinstance(answers, list) or len(answers) > kept["pictures"]:
                raise ValueError("they are no list, or more than there are pairs")
            if not all({a["right"], a["practice"]} <= {True, False} for a in answers):
                raise ValueError("one is neither right nor wrong")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.path} does not hold the answers of a test ({error}); take another file."
            ) from error
        if kept != self._test:
            raise ValueError(
                f"{self.path} holds the answers of another test, {kept}, this one is "
                f"{self._test}. Take another file."
            )
        return answers


def _listed(name, pictures):
    """Images as a list; raise a `ValueError` if an argument is none of them, or one."""
    is_one, received = False, repr(pictures)
    if isinstance(pictures, np.ndarray):
        is_one = pictures.ndim < 3 or (pictures.ndim == 3 and pictures.shape[2] in (1, 3, 4))
        received = f"an array of shape {pictures.shape}"
    if is_one or not is_list(pictures):
        raise ValueError(f"`{name}` must be a list or an array of images. Received: {received}")
    return list(pictures)


def _hidden_after(pair, seconds, size):
    """Two images side by side as HTML that hides them after some time."""
    images = []
    for picture in pair:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        images.append(f'<img height="{size}" src="data:image/png;base64,{data}">')
    name = f"turing{time.monotonic_ns()}"  # an animation of a name that ran once runs no more
    return (
        f"<style>@keyframes {name} {{to {{visibility: hidden}}}}</style>"
        f'<div style="height: {size}px; animation: {name} 0s linear {seconds}s forwards">'
        f"{'&emsp;'.join(images)}</div>"
    )
