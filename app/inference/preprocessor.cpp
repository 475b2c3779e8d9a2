#include "inference/preprocessor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "inference/resample.hpp"

namespace glimpse {
namespace {

int round_up(int value, int step) {
  return (value + step - 1) / step * step;
}

}  // namespace

Preprocessor::Preprocessor(const InputSpec& spec, const InputFormat& format)
    : spec_(spec), format_(format), table_(spec, format) {}

void Preprocessor::plan(int rows, int cols) {
  const int shorter = std::min(rows, cols);
  const auto axis = [&](int side, int crop) {  // torchvision truncates the longer side
    const int resized =
        side == shorter ? spec_.resize : static_cast<int>(static_cast<double>(spec_.resize) * side / shorter);
    const int crop_begin = static_cast<int>(std::nearbyint((resized - crop) / 2.0));
    return make_resize_axis(spec_.interpolation, side, resized, crop_begin, crop);
  };
  horizontal_ = axis(cols, spec_.width);
  vertical_ = axis(rows, spec_.height);
  pairs_ = round_up(3 * spec_.width, 2 * pairs_in_step) / 2;
  const auto resize = [](std::vector<BytePair>& buffer, int count, int each) {
    buffer.assign(static_cast<std::size_t>(count) * static_cast<std::size_t>(each), 0);
  };
  resize(columns_, 3 * (horizontal_.end() - horizontal_.begin()), pairs_at_once);
  resize(resized_, 3 * spec_.width, pairs_at_once);
  resize(narrow_, round_up(vertical_.end() - vertical_.begin(), rows_at_once), pairs_);
  resize(line_, pairs_, 1);
  rows_ = rows;
  cols_ = cols;
}

void Preprocessor::run(const cv::Mat& bgr, void* out) {
  if (bgr.type() != CV_8UC3 || bgr.empty()) throw std::invalid_argument("a frame must be 8-bit BGR");
  if (bgr.rows != rows_ || bgr.cols != cols_) plan(bgr.rows, bgr.cols);

  const bool planes = format_.layout == InputFormat::Layout::planes;
  const Steps steps = planes ? Steps{1, spec_.width} : Steps{3, 1};
  const int top = vertical_.begin(), bottom = vertical_.end();
  const int bytes = 3 * (horizontal_.end() - horizontal_.begin());
  for (int y = top; y < bottom; y += rows_at_once) {
    std::array<const std::uint8_t*, rows_at_once> rows{};
    for (int i = 0; i < rows_at_once; ++i) {  // after the last row: that row again
      rows[static_cast<std::size_t>(i)] = bgr.ptr(std::min(y + i, bottom - 1)) + 3 * horizontal_.begin();
    }
    rows_to_columns(rows, bytes, columns_.data());
    resize_along_rows(columns_.data(), horizontal_, steps, resized_.data());
    columns_to_rows(resized_.data(), 3 * spec_.width, narrow_.data() + std::ptrdiff_t{y - top} * pairs_,
                    2 * pairs_);
  }
  for (int y = 0; y < spec_.height; ++y) {
    resize_along_columns(narrow_.data(), pairs_, vertical_, y, line_.data());
    table_.write_row(reinterpret_cast<const std::uint8_t*>(line_.data()), y, out);
  }
}

}  // namespace glimpse
