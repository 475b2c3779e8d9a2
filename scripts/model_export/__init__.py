"""Makes a model folder of any torchvision classifier; scripts/export_model.py is its command."""
