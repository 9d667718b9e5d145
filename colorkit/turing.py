"""The Turing test: can a person tell a colored image from the ground truth?"""

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
from colorkit.data.image_files import as_rgb, checksum
from colorkit.files import make_folder, written_whole

_SIDES = ("left", "right")


class TuringTest:
    """Show pairs of a true and a colored image for a moment, and record a person's answers.

    The seed determines the sides and the order. Answers are saved to a file after each trial, and
    an interrupted test resumes with the next pair. The first trials are practice and do not count.

    Args:
        truth: True images, each as `pictures.as_rgb` takes it.
        colored: Colored images, in the same order.
        path: JSON file for the answers; `None` keeps them in memory.
        num_practice: Number of practice trials at the beginning.
        seed: Seed of order and sides.

    Raises:
        FileNotFoundError: If the file of an image does not exist.
        ValueError: If `truth` or `colored` is not a list of images, their numbers or sizes differ,
            or there are too few images for practice and one trial. Also if `num_practice` or
            `seed` is not a non-negative whole number, or the file does not hold the answers of
            this test.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", section 3.1: a second per pair, 10
        pairs of practice, then 40. A fooling rate of 50 % is as good as the ground truth.
    """

    def __init__(self, truth, colored, path=None, *, num_practice=10, seed=0):
        check_whole("num_practice", num_practice, least=0)
        check_whole("seed", seed, least=0)  # a resumed test must have the same order
        truth, colored = _listed("truth", truth), _listed("colored", colored)
        if len(truth) != len(colored) or len(truth) <= num_practice:
            raise ValueError(
                f"There must be as many colored images as true images, and more than the "
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
        """Return whether all pairs were answered."""
        return len(self.answers) == len(self)

    @property
    def is_practice(self):
        """Return whether the next answer does not count."""
        return len(self.answers) < self.num_practice

    def pair(self):
        """Return the next pair, left and right.

        Raises:
            ValueError: If all pairs were answered.
        """
        if self.is_over:
            raise ValueError(f"All {len(self)} pairs were answered; take another file for more.")
        trial = len(self.answers)
        truth, colored = (pictures[self._order[trial]] for pictures in self._pairs)
        return (colored, truth) if self._fakes[trial] == 0 else (truth, colored)

    def answer(self, side, seconds=None):
        """Answer which side of the next pair looks colored by a machine.

        Args:
            side: "left" or "right".
            seconds: Time of the answer, or `None`. `show` measures from sending a pair to
                receiving its answer, including the time in the network.

        Returns:
            Whether the answer is right.

        Raises:
            ValueError: If the side is unknown, `seconds` is not finite and non-negative, or all
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
        """Compute the share of counted trials in which the true image was chosen as colored.

        The interval assumes independent trials, which is nearly true for one person.

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
        """Show the test in a notebook: two images for a moment, then two buttons.

        Args:
            seconds: How long each pair is shown.
            size: Height of the images in pixels.

        Returns:
            An `ipywidgets` box.

        Raises:
            ImportError: If ipywidgets is not installed.
            ValueError: If `seconds` is not finite and non-negative, or `size` is not a positive
                whole number.
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
                return  # ignore a second click
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
                raise ValueError("they are not a list, or more than there are pairs")
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
    """Return images as a list; raise a `ValueError` if an argument is not a list of images."""
    is_one, received = False, repr(pictures)
    if isinstance(pictures, np.ndarray):
        is_one = pictures.ndim < 3 or (pictures.ndim == 3 and pictures.shape[2] in (1, 3, 4))
        received = f"an array of shape {pictures.shape}"
    if is_one or not is_list(pictures):
        raise ValueError(f"`{name}` must be a list or an array of images. Received: {received}")
    return list(pictures)


def _hidden_after(pair, seconds, size):
    """Return HTML of two images side by side that hides them after some time."""
    images = []
    for picture in pair:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        images.append(f'<img height="{size}" src="data:image/png;base64,{data}">')
    name = f"turing{time.monotonic_ns()}"  # an animation runs only once per name
    return (
        f"<style>@keyframes {name} {{to {{visibility: hidden}}}}</style>"
        f'<div style="height: {size}px; animation: {name} 0s linear {seconds}s forwards">'
        f"{'&emsp;'.join(images)}</div>"
    )
