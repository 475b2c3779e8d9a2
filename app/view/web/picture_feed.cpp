#include "view/web/picture_feed.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "view/web/priority.hpp"

namespace glimpse {
namespace {

constexpr int stream_quality = 75, snapshot_quality = 90;  // of JPEG, 0 to 100
constexpr auto frame_patience = std::chrono::milliseconds(250);
constexpr auto between_pictures =
    std::chrono::duration_cast<Steady::duration>(std::chrono::seconds(1)) / PictureFeed::pictures_per_s;

std::string jpeg(const cv::Mat& bgr, int quality) {
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return {bytes.begin(), bytes.end()};
}

std::string part(const std::string& jpeg) {
  return "Content-Type: image/jpeg\r\nContent-Length: " + std::to_string(jpeg.size()) + "\r\n\r\n" + jpeg +
         "\r\n--" + PictureFeed::boundary + "\r\n";
}

}  // namespace

std::string stream_picture(const cv::Mat& bgr) {
  const int longer = std::max(bgr.cols, bgr.rows);
  if (longer <= PictureFeed::stream_side) return jpeg(bgr, stream_quality);
  const double scale = static_cast<double>(PictureFeed::stream_side) / longer;
  const cv::Size size(std::max(1, cvRound(bgr.cols * scale)), std::max(1, cvRound(bgr.rows * scale)));
  cv::Mat small;
  cv::resize(bgr, small, size, 0, 0, cv::INTER_AREA);
  return jpeg(small, stream_quality);
}

std::string whole_picture(const cv::Mat& bgr) {
  return jpeg(bgr, snapshot_quality);
}

PictureFeed::PictureFeed(FrameTap& frames) : frames_(frames) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

PictureFeed::~PictureFeed() {
  thread_.request_stop();
}

std::shared_ptr<const std::string> PictureFeed::Viewer::next(Steady::time_point deadline,
                                                             const std::stop_token& stop) {
  auto [number, picture] = feed_.pictures_.after(seen_, deadline, stop);
  seen_ = number;
  return picture;
}

std::shared_ptr<const std::string> PictureFeed::snapshot(Steady::time_point deadline,
                                                         const std::stop_token& stop) {
  const std::uint64_t before = snapshots_.number();
  const auto want = [this](int change) {
    const std::lock_guard lock(mutex_);
    snapshots_wanted_ += change;
    if (snapshots_wanted_ == 0) snapshots_.forget();
    changed_.notify_all();
  };
  want(1);
  auto picture = snapshots_.after(before, deadline, stop).value;
  want(-1);
  return picture;
}

int PictureFeed::viewers() const {
  const std::lock_guard lock(mutex_);
  return viewers_;
}

void PictureFeed::count_viewer(int change) {
  const std::lock_guard lock(mutex_);
  viewers_ += change;
  if (viewers_ == 0) pictures_.forget();
  changed_.notify_all();
}

void PictureFeed::run(const std::stop_token& stop) {
  lower_priority();
  Steady::time_point due{};
  std::string fault;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return viewers_ > 0 || snapshots_wanted_ > 0; })) return;
    }
    if (!sleep_until(stop, due)) return;
    const std::optional<Frame> frame = frames_.next(Steady::now() + frame_patience, stop);
    if (!frame) continue;
    const auto now = Steady::now();
    due = now - due < between_pictures ? due + between_pictures : now + between_pictures;
    try {
      encode(*frame);
      fault.clear();
    } catch (const std::exception& error) {
      if (fault != error.what()) spdlog::error("the page: a frame cannot be made a JPEG: {}", error.what());
      fault = error.what();
    }
  }
}

void PictureFeed::encode(const Frame& frame) {
  bool for_stream = false, for_snapshot = false;
  {
    const std::lock_guard lock(mutex_);
    for_stream = viewers_ > 0;
    for_snapshot = snapshots_wanted_ > 0;
  }
  if (for_stream) pictures_.put(std::make_shared<const std::string>(part(stream_picture(frame.image))));
  if (for_snapshot) snapshots_.put(std::make_shared<const std::string>(whole_picture(frame.image)));
  const std::lock_guard lock(mutex_);  // who looked may have gone meanwhile
  if (viewers_ == 0) pictures_.forget();
  if (snapshots_wanted_ == 0) snapshots_.forget();
}

}  // namespace glimpse
