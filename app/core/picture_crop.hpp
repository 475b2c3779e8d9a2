// The part of a picture that the network sees.
#pragma once

namespace glimpse {

/// Fractions of the picture's width and height, from the top left.
struct PictureCrop {
  double x = 0, y = 0, width = 1, height = 1;
};

}  // namespace glimpse
