from __future__ import annotations

import av
import numpy as np
import pytest

from robot_app.render.video import FilmWriter
from scenes.errors import InputError


def picture(k: int, width: int = 160, height: int = 90) -> np.ndarray:
    y, x = np.indices((height, width))
    return np.stack([(x + 3 * k) % 256, (2 * y) % 256, np.full_like(x, (5 * k) % 256)], -1).astype(np.uint8)


def decoded(path) -> list[np.ndarray]:
    images = []
    try:
        with av.open(str(path)) as film:
            for frame in film.decode(video=0):
                images.append(frame.to_ndarray(format="rgb24"))
    except av.error.FFmpegError:
        pass  # a torn last piece
    return images


def test_a_film_plays_back_what_was_written(tmp_path) -> None:
    path = tmp_path / "new" / "film.mp4"
    with FilmWriter(path, (160, 90), 30, crf=8) as film:
        for k in range(45):
            film.write(picture(k))
    images = decoded(path)
    assert len(images) == 45
    assert np.abs(images[20].astype(int) - picture(20)).mean() < 8
    with av.open(str(path)) as read:
        stream = read.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate) == pytest.approx(30)


def test_a_film_that_was_never_closed_lacks_at_most_a_second(tmp_path) -> None:
    """What is on the disk while writing is what a kill leaves."""
    path = tmp_path / "film.mp4"
    film = FilmWriter(path, (160, 90), 30)
    for k in range(100):
        film.write(picture(k))
    left = tmp_path / "left.mp4"
    left.write_bytes(path.read_bytes())
    film.close()
    assert 70 <= len(decoded(left)) <= 100


def test_a_truncated_film_still_plays(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    with FilmWriter(path, (160, 90), 30) as film:
        for k in range(120):
            film.write(picture(k))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(0.8 * len(whole))])
    assert len(decoded(path)) >= 60


def test_odd_sizes_are_padded(tmp_path) -> None:
    path = tmp_path / "odd.mp4"
    with FilmWriter(path, (161, 91), 25) as film:
        film.write(picture(0, 161, 91))
    assert decoded(path)[0].shape == (92, 162, 3)


def test_an_existing_film_is_kept_unless_forced(tmp_path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match="--force"):
        FilmWriter(path, (160, 90))
    assert path.read_bytes() == b"precious"
    with FilmWriter(path, (160, 90), force=True) as film:
        film.write(picture(0))
    assert len(decoded(path)) == 1


def test_a_place_that_cannot_be_written_is_one_line(tmp_path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError) as error:
        FilmWriter(tmp_path / "file" / "film.mp4", (160, 90))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [{"fps": 0}, {"crf": 99}, {"size": (4, 4)}, {"path": "film.avi"}],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, wrong) -> None:
    arguments = {"path": "film.mp4", "size": (160, 90), "fps": 30, **wrong}
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(InputError):
        FilmWriter(**arguments)


def test_a_frame_of_another_size_is_refused(tmp_path) -> None:
    with FilmWriter(tmp_path / "film.mp4", (160, 90)) as film, pytest.raises(InputError):
        film.write(picture(0, 90, 160))


def test_closing_twice_or_without_frames_is_no_error(tmp_path) -> None:
    film = FilmWriter(tmp_path / "film.mp4", (160, 90))
    film.close()
    film.close()
    with pytest.raises(InputError):
        film.write(picture(0))
