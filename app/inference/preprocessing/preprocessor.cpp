#include "inference/preprocessing/preprocessor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "inference/preprocessing/resample.hpp"

namespace glimpse {
namespace {

std::ptrdiff_t round_up(std::ptrdiff_t value, std::ptrdiff_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

Preprocessor::Preprocessor(const InputSpec& spec, const InputFormat& format)
    : spec_(spec), format_(format), table_(spec, format) {}

void Preprocessor::plan(int rows, int cols) {
  rows_ = cols_ = 0;  // until it is done
  const int shorter = std::min(rows, cols);
  const auto axis = [&](int side, int crop) {  // torchvision truncates the longer side
    const int resized =
        side == shorter ? spec_.resize : static_cast<int>(static_cast<double>(spec_.resize) * side / shorter);
    const int crop_begin = static_cast<int>(std::nearbyint((resized - crop) / 2.0));
    return make_resize_axis(spec_.interpolation, side, resized, crop_begin, crop);
  };
  horizontal_ = axis(cols, spec_.width);
  vertical_ = axis(rows, spec_.height);
  const std::ptrdiff_t bytes = std::ptrdiff_t{3} * spec_.width;  // of a row between the passes
  pairs_ = round_up(bytes, 2 * pairs_in_step) / 2;
  const auto resize = [](std::vector<BytePair>& buffer, std::ptrdiff_t count, std::ptrdiff_t each) {
    buffer.assign(static_cast<std::size_t>(count * each), 0);
  };
  resize(columns_, horizontal_.end() - horizontal_.begin(), 3 * pairs_at_once);
  resize(resized_, bytes, pairs_at_once);
  resize(narrow_, round_up(vertical_.end() - vertical_.begin(), rows_at_once), pairs_);
  resize(line_, 1, pairs_);
  rows_ = rows;
  cols_ = cols;
}

void Preprocessor::run(const cv::Mat& bgr, void* out) {
  if (bgr.type() != CV_8UC3 || bgr.empty()) throw std::invalid_argument("a frame must be 8-bit BGR");
  if (bgr.rows != rows_ || bgr.cols != cols_) plan(bgr.rows, bgr.cols);

  const bool planes = format_.layout == InputFormat::Layout::planes;
  const Places places = planes ? Places{1, spec_.width} : Places{3, 1};
  const int top = vertical_.begin(), bottom = vertical_.end();
  const int left = horizontal_.begin(), right = horizontal_.end();
  for (int y = top; y < bottom; y += rows_at_once) {
    std::array<const std::uint8_t*, rows_at_once> rows{};
    for (int i = 0; i < rows_at_once; ++i) {  // the last row again where there are no more
      rows[static_cast<std::size_t>(i)] = bgr.ptr(std::min(y + i, bottom - 1), left);
    }
    rows_to_columns(rows, 3 * (right - left), columns_.data());
    resize_along_rows(columns_.data(), horizontal_, places, resized_.data());
    columns_to_rows(resized_.data(), 3 * spec_.width, pairs_, narrow_.data() + (y - top) * pairs_);
  }
  for (int y = 0; y < spec_.height; ++y) {
    resize_along_columns(narrow_.data(), pairs_, vertical_, y, line_.data());
    table_.write_row(reinterpret_cast<const std::uint8_t*>(line_.data()), y, out);
  }
}

}  // namespace glimpse
