"""The demo model: render pictures of everyday things, train MobileNetV2 on them, quantize it, package it."""
