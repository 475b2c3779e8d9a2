#include "capture/mp4_duration.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

struct Played {
  int frames = 0;
  bool in_order = true;  // each frame showed its own number, and its index was that number
  ReadResult last;
};

Played play(VideoSource& source) {
  Played played;
  Frame frame;
  while ((played.last = source.read(frame)).status == ReadStatus::frame) {
    const int index = static_cast<int>(frame.index);
    played.in_order = played.in_order && index == played.frames && frame_number(frame.image) == index;
    ++played.frames;
  }
  return played;
}

}  // namespace

TEST_CASE("a video gives every frame in order and ends") {
  const TempFolder folder;
  for (const auto& [name, code] :
       {std::pair{"a.mp4", "mp4v"}, {"a.avi", "MJPG"}, {"a:b 100%d.mkv", "mp4v"}}) {
    write_video(folder / name, 60, code);
    const auto source = open_uri(folder / name);
    CHECK_FALSE(source->info().live);
    CHECK(source->info().fps == 30);
    CHECK_THAT(source->info().description,
               ContainsSubstring(std::string(name) + ", 64x48 at 30 fps, 60 frames"));
    const Played played = play(*source);
    CHECK(played.frames == 60);
    CHECK(played.in_order);
    CHECK(played.last.status == ReadStatus::end);
  }
}

TEST_CASE("a frame's pixels stay as they are while the next ones are read") {
  const TempFolder folder;
  write_video(folder / "a.avi", 3, "MJPG");
  const auto source = open_uri(folder / "a.avi");
  Frame frame;
  REQUIRE(source->read(frame).status == ReadStatus::frame);
  const cv::Mat first = frame.image;  // the same pixels, as a mailbox would hold them
  REQUIRE(source->read(frame).status == ReadStatus::frame);
  REQUIRE(source->read(frame).status == ReadStatus::frame);
  CHECK(frame_number(first) == 0);
}

TEST_CASE("a looped video begins again at frame 0") {
  const TempFolder folder;
  write_video(folder / "a.mp4", 5, "mp4v");
  const auto source = open_uri(folder / "a.mp4", true);
  Frame frame;
  for (int i = 0; i < 15; ++i) {
    REQUIRE(source->read(frame).status == ReadStatus::frame);
    CHECK(frame.index == static_cast<unsigned>(i % 5));
    CHECK(frame_number(frame.image) == i % 5);
  }
}

TEST_CASE("a truncated video plays its good part and then says what is missing, looped or not") {
  const TempFolder folder;
  write_video(folder / "whole.avi", 100, "MJPG");
  const std::string bytes = read_file(folder / "whole.avi");
  write_file(folder / "cut.avi", bytes.substr(0, bytes.size() / 2));
  for (const bool loop : {false, true}) {
    const auto source = open_uri(folder / "cut.avi", loop);
    const Played played = play(*source);
    CHECK(played.frames > 30);
    CHECK(played.frames < 60);
    CHECK(played.in_order);
    CHECK(played.last.status == ReadStatus::failed);
    CHECK(played.last.reason == folder / "cut.avi: ends after " + std::to_string(played.frames) +
                                    " of 100 frames: the file is truncated or damaged");
    Frame frame;
    CHECK(source->read(frame).status == ReadStatus::failed);  // and stays so
  }
}

TEST_CASE("a truncated MP4 with its header in front") {
  const TempFolder folder;
  write_video(folder / "a.mp4", 100, "mp4v");
  if (!ffmpeg("-i " + folder / "a.mp4" + " -c copy -movflags +faststart " + folder / "front.mp4")) return;
  const std::string bytes = read_file(folder / "front.mp4");
  write_file(folder / "cut.mp4", bytes.substr(0, bytes.size() * 7 / 10));
  CapturedStderr noise;
  const Played played = play(*open_uri(folder / "cut.mp4"));
  CHECK(noise.text() == "");
  CHECK(played.frames > 10);
  CHECK(played.in_order);
  CHECK(played.last.status == ReadStatus::failed);
  CHECK_THAT(played.last.reason, ContainsSubstring(" of 100 frames: the file is truncated or damaged"));
}

TEST_CASE("a video whose container promises more frames than it shows is whole nevertheless") {
  const TempFolder folder;
  write_video(folder / "a.mp4", 100, "mp4v");
  SECTION("an edit list hides frames before the cut") {
    if (!ffmpeg("-ss 2 -i " + folder / "a.mp4" + " -c copy " + folder / "edited.mp4")) return;
    CHECK(mp4_shown_seconds(folder / "a.mp4") == Approx(100 / 30.0).margin(0.01));
    CHECK(mp4_shown_seconds(folder / "edited.mp4") == Approx(40 / 30.0).margin(0.05));
    CHECK(play(*open_uri(folder / "edited.mp4")).last.status == ReadStatus::end);
  }
  SECTION("the rate varies, and the count is only rate times duration") {
    if (!ffmpeg("-i " + folder / "a.mp4" + " -vf \"select='not(mod(n,4))+gt(n,80)'\" -vsync vfr " +
                folder / "vfr.mkv"))
      return;
    CHECK(play(*open_uri(folder / "vfr.mkv")).last.status == ReadStatus::end);
  }
}

TEST_CASE("no MP4, and a broken one, have no duration") {
  const TempFolder folder;
  write_file(folder / "text", "hello, this is no box at all, only text");
  write_file(folder / "huge", std::string("\0\0\0\1moov\xff\xff\xff\xff\xff\xff\xff\xff", 16));
  write_file(folder / "empty", "");
  for (const char* name : {"text", "huge", "empty", "missing"}) CHECK(mp4_shown_seconds(folder / name) == 0);
}

TEST_CASE("what is no video is bad data, named, in one line, with nothing from the libraries on stderr") {
  const TempFolder folder;
  write_video(folder / "whole.mp4", 30, "mp4v");
  write_file(folder / "text.mp4", "this is a text file\n");
  write_file(folder / "notes.txt", "FFmpeg would play this as a terminal\n");
  write_file(folder / "empty.mp4", "");
  const std::string bytes = read_file(folder / "whole.mp4");
  write_file(folder / "no_moov.mp4", bytes.substr(0, bytes.find("moov") - 4));
  for (const char* name : {"text.mp4", "notes.txt", "empty.mp4", "no_moov.mp4"}) {
    CapturedStderr noise;
    const Refusal refused = refusal(folder / name);
    CHECK(noise.text() == "");
    CHECK(refused.code == ExitCode::bad_data);
    CHECK(refused.text.starts_with(folder / name + ": "));
    CHECK(refused.text.find('\n') == std::string::npos);
  }
}
