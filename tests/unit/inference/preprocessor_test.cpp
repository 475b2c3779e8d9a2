#include "inference/preprocessing/preprocessor.hpp"

#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "catch.hpp"

using namespace glimpse;

namespace {

/// With mean 0 and std 1/255 the output is the 8-bit pixel itself.
InputSpec pixels_224() {
  return {224, 224, 224, {0, 0, 0}, {1.0f / 255, 1.0f / 255, 1.0f / 255}};
}

/// The picture of tests/data/make_preprocess_golden.py, as OpenCV holds it.
cv::Mat formula_picture(int width, int height) {
  cv::Mat bgr(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        bgr.ptr(y)[x * 3 + 2 - channel] =
            static_cast<unsigned char>((x * 7 + y * 13 + channel * 29 + x * y / 16) % 256);
      }
    }
  }
  return bgr;
}

}  // namespace

TEST_CASE("Resize and crop give torchvision's pixels") {
  std::ifstream golden(GLIMPSE_ROOT "/tests/data/preprocess_golden.csv");
  std::string line;
  std::getline(golden, line);
  REQUIRE(line == "interpolation,resize,width,height,x,y,red,green,blue");
  std::map<std::tuple<std::string, int, int, int>, std::vector<float>> outputs;
  int compared = 0, values_apart = 0;
  while (std::getline(golden, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream fields(line);
    std::string interpolation;
    InputSpec spec = pixels_224();
    int width = 0, height = 0, x = 0, y = 0, rgb[3];
    fields >> interpolation >> spec.resize >> width >> height >> x >> y >> rgb[0] >> rgb[1] >> rgb[2];
    if (interpolation == "bicubic") spec.interpolation = Interpolation::bicubic;
    auto& out = outputs[{interpolation, spec.resize, width, height}];
    if (out.empty()) {
      out.resize(3 * 224 * 224);
      Preprocessor(spec).run(formula_picture(width, height), out.data());
    }
    CAPTURE(line);
    // Where a frame shrinks much, bilinear has 16 bits to reckon with: now and then one step apart.
    const bool fast =
        spec.interpolation == Interpolation::bilinear && std::min(width, height) > 1.5 * spec.resize;
    for (int channel = 0; channel < 3; ++channel) {
      const float apart = std::abs(out[static_cast<std::size_t>((channel * 224 + y) * 224 + x)] -
                                   static_cast<float>(rgb[channel]));
      CHECK(apart <= (fast ? 1.001f : 0.001f));
      values_apart += apart > 0.001f ? 1 : 0;
    }
    ++compared;
  }
  CHECK(compared == 2 * 2 * 7 * 48);
  CHECK(values_apart <= 3 * 2 * 3 * 48 * 0.03);
}

TEST_CASE("A frame of the network's own size is not touched, only normalised") {
  InputSpec spec = pixels_224();
  spec.mean = {0.485f, 0.456f, 0.406f};
  spec.std = {0.229f, 0.224f, 0.225f};
  const cv::Mat bgr(224, 224, CV_8UC3, cv::Scalar(51, 102, 204));  // 0.2, 0.4, 0.8
  std::vector<float> out(3 * 224 * 224);
  Preprocessor(spec).run(bgr, out.data());
  const std::size_t plane = 224 * 224;
  for (const std::size_t at : {std::size_t{0}, plane / 2, plane - 1}) {
    CHECK(out[at] == Approx((0.8 - 0.485) / 0.229));
    CHECK(out[plane + at] == Approx((0.4 - 0.456) / 0.224));
    CHECK(out[2 * plane + at] == Approx((0.2 - 0.406) / 0.225));
  }
}

TEST_CASE("Frames may change their size, and be as small as a pixel") {
  Preprocessor preprocessor(pixels_224());
  std::vector<float> out(3 * 224 * 224);
  for (const cv::Size size : {cv::Size(640, 480), cv::Size(1, 1), cv::Size(2, 900), cv::Size(320, 240)}) {
    preprocessor.run(cv::Mat(size, CV_8UC3, cv::Scalar::all(77)), out.data());
    CHECK(std::all_of(out.begin(), out.end(), [](float value) { return std::abs(value - 77.0f) < 0.01f; }));
  }
}

TEST_CASE("A frame of one colour keeps it, whatever its size and the network's") {
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    for (const int side : {1, 7, 33}) {
      InputSpec spec{side, side, side + side / 3, {0, 0, 0}, {1.0f / 255, 1.0f / 255, 1.0f / 255}};
      spec.interpolation = interpolation;
      Preprocessor preprocessor(spec);
      std::vector<float> out(static_cast<std::size_t>(3 * side * side));
      for (const cv::Size size : {cv::Size(1, 40), cv::Size(15, 16), cv::Size(17, 33), cv::Size(83, 49),
                                  cv::Size(257, 131), cv::Size(700, 650)}) {
        CAPTURE(side, size);
        for (const int value : {0, 1, 127, 128, 129, 254, 255}) {
          preprocessor.run(cv::Mat(size, CV_8UC3, cv::Scalar::all(value)), out.data());
          CHECK(std::all_of(out.begin(), out.end(),
                            [&](float v) { return std::abs(v - static_cast<float>(value)) < 0.01f; }));
        }
      }
    }
  }
}

TEST_CASE("Bicubic overshoot is cut, and a frame of the network's own size passes as it is") {
  InputSpec spec = pixels_224();
  spec.interpolation = Interpolation::bicubic;
  std::vector<float> out(3 * 224 * 224);
  cv::Mat halves(100, 100, CV_8UC3, cv::Scalar::all(0));
  halves.colRange(50, 100).setTo(cv::Scalar::all(255));
  Preprocessor preprocessor(spec);
  preprocessor.run(halves, out.data());
  CHECK(std::all_of(out.begin(), out.end(), [](float value) { return value > -0.01f && value < 255.01f; }));
  const cv::Mat own_size = formula_picture(224, 224);
  preprocessor.run(own_size, out.data());
  CHECK(out[5 * 224 + 9] == Approx(own_size.ptr(5)[9 * 3 + 2]));
}

TEST_CASE("A frame may be a part of a larger picture") {
  const cv::Mat whole = formula_picture(700, 500);
  const cv::Mat part = whole(cv::Rect(30, 10, 640, 480));
  std::vector<float> of_part(3 * 224 * 224), of_copy(3 * 224 * 224);
  Preprocessor(pixels_224()).run(part, of_part.data());
  Preprocessor(pixels_224()).run(part.clone(), of_copy.data());
  CHECK(of_part == of_copy);
}

TEST_CASE("What is not an 8-bit BGR frame is refused") {
  Preprocessor preprocessor(pixels_224());
  std::vector<float> out(3 * 224 * 224);
  CHECK_THROWS(preprocessor.run(cv::Mat(), out.data()));
  CHECK_THROWS(preprocessor.run(cv::Mat(10, 10, CV_8UC1), out.data()));
}
