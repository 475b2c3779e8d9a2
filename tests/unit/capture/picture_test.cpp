#include <opencv2/imgproc.hpp>
#include <vector>

#include "capture/pixels.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

void write_gray(const std::string& path, int gray) {
  cv::imwrite(path, cv::Mat(8, 10, CV_8UC3, cv::Scalar::all(gray)));
}

}  // namespace

TEST_CASE("a folder gives its pictures sorted by name, and then ends") {
  const TempFolder folder;
  write_gray(folder / "b.png", 20);
  write_gray(folder / "a.PNG", 10);
  write_gray(folder / "c.bmp", 30);
  write_file(folder / "notes.txt", "no picture");
  std::filesystem::create_directory(folder / "d.png");
  const auto source = open_uri(folder.path());
  CHECK_FALSE(source->info().live);
  CHECK_THAT(source->info().description, ContainsSubstring("3 pictures"));
  Frame frame;
  for (const int n : {0, 1, 2}) {
    REQUIRE(source->read(frame).status == ReadStatus::frame);
    CHECK(frame.index == static_cast<unsigned>(n));
    CHECK(cv::mean(frame.image)[0] == 10 * (n + 1));
  }
  CHECK(source->read(frame).status == ReadStatus::end);
  CHECK(source->read(frame).status == ReadStatus::end);
}

TEST_CASE(
    "bad pictures among good ones are skipped, each with its name and the reason, and keep their index") {
  const TempFolder folder;
  write_gray(folder / "0.png", 50);
  write_file(folder / "1.jpg", "");
  write_file(folder / "2.jpg", "this is text and not a picture");
  cv::imwrite(folder / "3.jpg", cv::Mat(200, 200, CV_8UC3, cv::Scalar(10, 90, 200)));
  write_file(folder / "3.jpg", read_file(folder / "3.jpg").substr(0, 700));
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 255);
  cv::imwrite(folder / "4.png", noise);
  write_file(folder / "4.png", read_file(folder / "4.png").substr(0, 5000));
  write_gray(folder / "5.png", 60);
  const auto source = open_uri(folder.path());
  CapturedStderr noise_of_libraries;
  Frame frame;
  std::vector<std::string> reasons;
  std::vector<std::uint64_t> good;
  for (;;) {
    const ReadResult result = source->read(frame);
    if (result.status == ReadStatus::end) break;
    if (result.status == ReadStatus::frame) good.push_back(frame.index);
    if (result.status == ReadStatus::skipped) reasons.push_back(result.reason);
  }
  CHECK(noise_of_libraries.text() == "");
  CHECK(good == std::vector<std::uint64_t>{0, 5});
  REQUIRE(reasons.size() == 4);
  CHECK(reasons[0] == folder / "1.jpg: the file is empty");
  CHECK(reasons[1] == folder / "2.jpg: not a picture, or damaged");
  CHECK(reasons[2] == folder / "3.jpg: the file is truncated");
  CHECK(reasons[3] == folder / "4.png: the file is truncated");
}

TEST_CASE("a looped folder begins again at index 0, and does not spin where nothing can be decoded") {
  const TempFolder folder;
  write_gray(folder / "a.png", 1);
  write_file(folder / "b.png", "");
  const auto source = open_uri(folder.path(), true);
  Frame frame;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(source->read(frame).status == ReadStatus::frame);
    CHECK(frame.index == 0);
    CHECK(source->read(frame).status == ReadStatus::skipped);
  }
  const TempFolder hopeless;
  write_file(hopeless / "a.png", "");
  const auto nothing = open_uri(hopeless.path(), true);
  CHECK(nothing->read(frame).status == ReadStatus::skipped);
  const ReadResult result = nothing->read(frame);
  CHECK(result.status == ReadStatus::failed);
  CHECK_THAT(result.reason, ContainsSubstring("none of its 1 pictures could be decoded"));
}

TEST_CASE("a folder without pictures is no source") {
  const TempFolder folder;
  write_file(folder / "readme.txt", "nothing here");
  const Refusal refused = refusal(folder.path());
  CHECK(refused.code == ExitCode::no_source);
  CHECK(refused.text ==
        "no pictures in " + folder.path() + " (looked for jpg jpeg png bmp webp tif tiff ppm)");
}

TEST_CASE("a picture file is one frame; looped, the same again and again, each with pixels of its own") {
  const TempFolder folder;
  write_gray(folder / "one.png", 77);
  Frame frame;
  const auto once = open_uri(folder / "one.png");
  REQUIRE(once->read(frame).status == ReadStatus::frame);
  CHECK(frame.image.size() == cv::Size(10, 8));
  CHECK(once->read(frame).status == ReadStatus::end);
  const auto looped = open_uri(folder / "one.png", true);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(looped->read(frame).status == ReadStatus::frame);
    CHECK(frame.index == 0);
    CHECK(cv::mean(frame.image)[2] == 77);
    frame.image.setTo(0);  // a reader that draws does not spoil the next frame
  }
}

TEST_CASE("grey, alpha and 16-bit pictures become 8-bit BGR") {
  const TempFolder folder;
  cv::imwrite(folder / "gray.png", cv::Mat(4, 4, CV_8UC1, cv::Scalar(100)));
  cv::imwrite(folder / "alpha.png", cv::Mat(4, 4, CV_8UC4, cv::Scalar(1, 2, 3, 0)));
  cv::imwrite(folder / "deep.png", cv::Mat(4, 4, CV_16UC3, cv::Scalar(0x6400, 0x6400, 0x6400)));
  for (const auto& [name, green] : {std::pair{"gray.png", 100}, {"alpha.png", 2}, {"deep.png", 100}}) {
    Frame frame;
    REQUIRE(open_uri(folder / name)->read(frame).status == ReadStatus::frame);
    CHECK(frame.image.type() == CV_8UC3);
    CHECK(cv::mean(frame.image)[1] == green);
  }
  CHECK(to_bgr(cv::Mat(2, 2, CV_16UC1, cv::Scalar(0xffff))).at<cv::Vec3b>(0, 0) == cv::Vec3b(255, 255, 255));
  CHECK(to_bgr(cv::Mat(2, 2, CV_32FC3)).empty());
  CHECK(to_bgr(cv::Mat(2, 2, CV_8UC2)).empty());
  CHECK(to_bgr(cv::Mat()).empty());
}

TEST_CASE("EXIF orientation is applied") {
  const TempFolder folder;
  cv::imwrite(folder / "wide.jpg", cv::Mat(16, 32, CV_8UC3, cv::Scalar::all(128)));
  const std::string jpeg = read_file(folder / "wide.jpg");
  // APP1 of 34 bytes: "Exif", a little-endian TIFF header and one entry: orientation (0x0112), SHORT, 6
  // (turned by 90).
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0"
      "II*\0\x08\0\0\0"
      "\x01\0"
      "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
      "\0\0\0\0",
      36);
  write_file(folder / "turned.jpg", jpeg.substr(0, 2) + exif + jpeg.substr(2));
  Frame frame;
  REQUIRE(open_uri(folder / "turned.jpg")->read(frame).status == ReadStatus::frame);
  CHECK(frame.image.size() == cv::Size(16, 32));
}

TEST_CASE("a bad picture file is bad data, by its name") {
  const TempFolder folder;
  cv::imwrite(folder / "cut.jpg", cv::Mat(200, 200, CV_8UC3, cv::Scalar(10, 90, 200)));
  write_file(folder / "cut.jpg", read_file(folder / "cut.jpg").substr(0, 700));
  write_file(folder / "empty.png", "");
  CHECK(refusal(folder / "cut.jpg").code == ExitCode::bad_data);
  CHECK(refusal(folder / "cut.jpg").text == folder / "cut.jpg: the file is truncated");
  CHECK(refusal(folder / "empty.png").code == ExitCode::bad_data);
  CHECK(refusal(folder / "empty.png").text == folder / "empty.png: the file is empty");
}
