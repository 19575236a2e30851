"""The scene generator: a seed goes in, a picture with pixel-exact instance masks comes out."""

from .scene import GENERATOR_VERSION, Scene, SceneObject, render_scene

__all__ = ["GENERATOR_VERSION", "Scene", "SceneObject", "render_scene"]
