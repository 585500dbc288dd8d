"""T-shirt, trousers, socks and shoes from MakeHuman's tight suit; borders are cut along rings, with hems."""

from __future__ import annotations

import numpy as np

from scenes.care.assets.bake.anny_body import RawBody
from scenes.care.assets.bake.girth import N_BODY
from scenes.care.assets.bake.surface import Surface, cut, join, rim, rounded, smoothed

#: Where the sleeve ends, as a share of the upper arm.
SLEEVE = 0.27

OUTFITS = {
    "male": {
        "shirt": (92, 122, 152), "trousers": (66, 72, 86), "sock": (52, 56, 66),
        "shoe": (196, 200, 204), "sole": (236, 236, 232),
    },
    "female": {
        "shirt": (224, 214, 198), "trousers": (62, 78, 104), "sock": (226, 222, 214),
        "shoe": (176, 98, 84), "sole": (238, 236, 230),
    },
}  # fmt: skip
#: In bed: cotton trousers, and no shoes.
NIGHTWEAR = {"male": (150, 158, 168), "female": (168, 176, 192)}


def _step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


class Seams:
    """The level functions of the cuts, over A-pose positions (n, 3); positive towards the named side."""

    def __init__(self, raw: RawBody, gender: str) -> None:
        self.raw = raw
        self.hip = raw.head("upperleg01.R")
        self.neck = raw.head("neck01")
        self.ankle = raw.head("foot.R")
        body = raw.vertices[:N_BODY]
        self.sole = float(body[raw.weight("foot", "toe")[:N_BODY] > 0.5][:, 2].min())
        self.scoop = 1.12 if gender == "female" else 1.0

    def along_arm(self, rest: np.ndarray) -> np.ndarray:
        """Share of the way from shoulder to elbow, for either arm; far below zero on the torso."""
        shoulder, elbow = self.raw.head("upperarm01.R"), self.raw.head("lowerarm01.R")
        folded = rest * np.where(rest[:, :1] > 0, [-1, 1, 1], [1, 1, 1])
        axis = elbow - shoulder
        along = (folded - shoulder) @ axis / (axis @ axis)
        # a plane through the armpit keeps the flank out: outward of the shoulder joint, or below it
        outward = (shoulder[0] - folded[:, 0]) / np.linalg.norm(axis) + 0.22
        leg = (folded[:, 0] > -0.30) & (folded[:, 2] < self.hip[2] + 0.19)
        return np.where(leg, -1.0, np.minimum(along, outward))

    def sleeve(self, rest: np.ndarray) -> np.ndarray:
        return self.along_arm(rest) - SLEEVE

    def collar(self, rest: np.ndarray) -> np.ndarray:
        """Positive outside an ellipsoid about the root of the neck."""
        centre = self.neck + np.array([0, -0.012, -0.002])
        radii = np.array([0.082, 0.088, 0.062]) * self.scoop
        above = np.maximum(rest[:, 2] - self.neck[2], 0) / 0.02  # all of the neck is inside
        return np.linalg.norm((rest - centre) / radii, axis=1) - 1 - above

    def waist(self, rest: np.ndarray) -> np.ndarray:
        """Positive above the belt: lower at the front than the crest of the hip."""
        return rest[:, 2] - (self.hip[2] + 0.085)

    def trouser_leg(self, rest: np.ndarray) -> np.ndarray:
        return rest[:, 2] - (self.ankle[2] + 0.055)

    def shoe(self, rest: np.ndarray) -> np.ndarray:
        """Positive inside the shoe: below a collar that dips at the ankle bone and rises over the instep."""
        ahead = self.ankle[1] - rest[:, 1]
        return self.ankle[2] - 0.012 + 0.35 * np.clip(ahead - 0.02, 0, 0.1) - rest[:, 2]


def dress(suit: Surface, seams: Seams, gender: str, in_bed: bool) -> list[Surface]:
    """The clothes, each region of one colour, from the posed tight suit."""
    colors = OUTFITS[gender] | ({"trousers": NIGHTWEAR[gender]} if in_bed else {})
    suit = rounded(suit, np.abs(seams.collar(suit.rest)) < 0.4)  # a neckline without corners
    _, suit = cut(suit, seams.sleeve(suit.rest))
    suit, _ = cut(suit, seams.collar(suit.rest))
    shirt, lower = cut(suit, seams.waist(suit.rest) + 0.025)
    _, lower = cut(lower, seams.waist(lower.rest))
    trousers, lower = cut(lower, seams.trouser_leg(lower.rest))
    foot, sock = cut(lower, seams.shoe(lower.rest))

    along = seams.along_arm(shirt.rest)
    loose = 0.0035 + 0.0055 * _step(-0.1, SLEEVE, along)
    belt = seams.waist(shirt.rest)
    loose = loose + 0.010 * _step(0.22, 0.0, belt) * (along < 0)
    shirt = shirt.inflated(loose).painted(colors["shirt"])
    dark = 0.86 * np.array(colors["shirt"])
    cuffs = [
        rim(shirt, np.abs(seams.sleeve(shirt.rest)) < 1e-3, 0.009, dark),
        rim(shirt, np.abs(seams.collar(shirt.rest)) < 1e-3, 0.008, dark),
        rim(shirt, np.abs(belt + 0.025) < 1e-3, 0.012, dark),
    ]
    # a ribbed neckband, a shade darker
    body, band = cut(shirt, seams.collar(shirt.rest) - 0.17)
    band = band.painted(0.93 * np.array(colors["shirt"]))

    leg = seams.trouser_leg(trousers.rest)
    trousers = trousers.inflated(0.004 + 0.011 * _step(0.30, 0.0, leg)).painted(colors["trousers"])
    cuffs.append(
        rim(
            trousers,
            np.abs(seams.trouser_leg(trousers.rest)) < 1e-3,
            0.013,
            0.8 * np.array(colors["trousers"]),
        )
    )
    sock = sock.inflated(0.002).painted(colors["sock"])
    feet = [_sock_foot(foot, seams, colors)] if in_bed else _shoes(foot, seams, colors)
    return [body, band, *cuffs, trousers, sock, *feet]


def _without_toes(foot: Surface, seams: Seams) -> Surface:
    return smoothed(foot, np.clip((seams.shoe(foot.rest) - 0.008) / 0.02, 0, 1), 24, 0.55, shrink=False)


def _sock_foot(foot: Surface, seams: Seams, colors: dict) -> Surface:
    return _without_toes(foot.inflated(0.002), seams).painted(
        colors["sock"]
    )  # in this order the seam stays shut


def _shoes(foot: Surface, seams: Seams, colors: dict) -> list[Surface]:
    """A trainer: the sock's foot, fuller, over a light sole that stands out a little."""
    foot = _without_toes(foot, seams)
    height = foot.rest[:, 2] - seams.sole
    foot = foot.inflated(0.0055 + 0.002 * _step(0.03, 0.0, height))
    upper, sole = cut(foot, foot.rest[:, 2] - (seams.sole + 0.021))
    collar = rim(upper, np.abs(seams.shoe(upper.rest)) < 1e-3, 0.009, 0.7 * np.array(colors["shoe"]))
    out = 0.0035 * _step(0.004, 0.014, sole.rest[:, 2] - seams.sole)
    sole = sole.inflated(out).painted(colors["sole"])
    welt = rim(sole, sole.rest[:, 2] > seams.sole + 0.0205, 0.007, colors["sole"])
    return [upper.painted(colors["shoe"]), collar, sole, welt]


def bare(body: Surface, seams: Seams) -> Surface:
    """The skin that clothes leave open, reaching a little under their hems."""
    arms, rest = cut(body, seams.along_arm(body.rest) - (SLEEVE - 0.10))
    # the collar's own ellipsoid, a little wider, keeps neck and head
    _, neck = cut(rest, seams.collar(rest.rest) - 0.30)
    neck = neck.keep((neck.rest[:, 2][neck.faces] > seams.waist(np.zeros((1, 3)))[0] + 0.3).all(1))
    return join([arms, neck])
