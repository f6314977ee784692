"""Traces held against a model: is there a behaviour of the model that shows what was recorded?"""
