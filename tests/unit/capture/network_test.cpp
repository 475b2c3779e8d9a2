#include "capture/network.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// http_server.py on a free port of loopback, while this lives.
class WebServer {
 public:
  explicit WebServer(const std::string& folder) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], 1);
      execl(GLIMPSE_PYTHON, "python3", GLIMPSE_ROOT "/tests/unit/capture/http_server.py", folder.c_str(),
            nullptr);
      _exit(127);
    }
    close(ends[1]);
    said_ = fdopen(ends[0], "r");
    address_ = "http://127.0.0.1:" + next_line();
  }
  ~WebServer() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    std::fclose(said_);
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  std::string operator/(const std::string& path) const { return address_ + "/" + path; }
  std::string next_line() {
    std::string line;
    for (int c; (c = std::fgetc(said_)) != EOF && c != '\n';) line += static_cast<char>(c);
    return line;
  }

 private:
  pid_t child_ = 0;
  std::FILE* said_ = nullptr;
  std::string address_;
};

}  // namespace

TEST_CASE("a video on a web server has a length and is a file: every frame, and an end") {
  const TempFolder folder;
  write_video(folder / "a.mp4", 60, "mp4v");
  const WebServer server(folder.path());
  const auto source = open_uri(server / "a.mp4");
  CHECK_FALSE(source->info().live);
  Frame frame;
  for (int i = 0; i < 60; ++i) {
    REQUIRE(source->read(frame).status == ReadStatus::frame);
    CHECK(frame_number(frame.image) == i);
  }
  CHECK(source->read(frame).status == ReadStatus::end);
}

TEST_CASE("an MJPEG stream is live, and is opened again when it ends") {
  const TempFolder folder;
  cv::imwrite(folder / "frame.jpg", cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(90)));
  const WebServer server(folder.path());
  const auto source = open_uri(server / "stream");
  CHECK(source->info().live);
  Frame frame;
  std::string lost, back;
  std::uint64_t last = 0;
  for (int tries = 0; tries < 150 && back.empty(); ++tries) {  // up to 30 s
    const ReadResult result = source->read(frame);
    if (result.status == ReadStatus::frame) last = frame.index;
    if (!result.reason.empty()) (lost.empty() ? lost : back) = result.reason;
  }
  CHECK_THAT(lost, ContainsSubstring(server / "stream" + ": "));
  CHECK_THAT(back, ContainsSubstring(" is back after "));
  REQUIRE(source->read(frame).status == ReadStatus::frame);
  CHECK(frame.index > last);
  CHECK(frame.image.size() == cv::Size(64, 48));
}

TEST_CASE(
    "a server that refuses, or has no such file: one line without password and token, nothing from the "
    "libraries") {
  const TempFolder folder;
  write_file(folder / "text.mp4", "no video");
  const WebServer server(folder.path());
  for (const std::string& uri :
       {server / "none.mp4", server / "text.mp4", std::string("http://127.0.0.1:1/x.mp4?token=secret"),
        std::string("rtsp://me:secret@127.0.0.1:1/cam")}) {
    CapturedStderr noise;
    const Refusal refused = refusal(uri);
    CHECK(noise.text() == "");
    CHECK(refused.code == ExitCode::no_source);
    CHECK(refused.text.starts_with(without_secrets(uri) + ": cannot be opened"));
    CHECK_THAT(refused.text, !ContainsSubstring("secret"));
  }
}

TEST_CASE("a stop ends the wait for a server that never answers") {
  const TempFolder folder;
  WebServer server(folder.path());
  std::stop_source stop;
  std::thread stopper([&] {
    (void)server.next_line();  // it has been asked
    stop.request_stop();
  });
  SourceOptions options;
  options.uri = server / "silent";
  options.stop = stop.get_token();
  const auto source = open_source(options);
  stopper.join();
  Frame frame;
  CHECK(source->read(frame).status == ReadStatus::end);
}

TEST_CASE("no message shows a password, nor a query, which may have a token") {
  CHECK(without_secrets("rtsp://me:secret@host:554/a") == "rtsp://host:554/a");
  CHECK(without_secrets("rtsp://me:se@cret@host") == "rtsp://host");
  CHECK(without_secrets("http://host/a@b?c=d@e") == "http://host/a@b");
  CHECK(without_secrets("http://pi:8080/stream.mjpg?token=secret") == "http://pi:8080/stream.mjpg");
  CHECK(without_secrets("http://me:secret@pi?token=a@b#c?d") == "http://pi");
  CHECK(without_secrets("http://pi/#token=secret") == "http://pi/");
  CHECK(without_secrets("clip@home.mp4") == "clip@home.mp4");
  CHECK(without_secrets("what?.mp4") == "what?.mp4");
}
