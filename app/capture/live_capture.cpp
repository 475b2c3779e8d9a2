#include "capture/live_capture.hpp"

#include "capture/frame_pool.hpp"
#include "capture/pixels.hpp"

namespace glimpse {
namespace {

class LiveCapture : public VideoSource {
 public:
  LiveCapture(cv::VideoCapture capture, SourceInfo info, Flip flip)
      : capture_(std::move(capture)), info_(std::move(info)), flip_(flip) {}

  ReadResult read(Frame& frame) override {
    try {
      const auto asked_at = std::chrono::steady_clock::now();
      const bool grabbed = capture_.grab();
      frame.captured_at = std::chrono::steady_clock::now();  // before the decoding
      const double waited_s = std::chrono::duration<double>(frame.captured_at - asked_at).count();
      if (!grabbed) {
        return {ReadStatus::failed,
                waited_s < 1 ? "it broke off" : cv::format("it gave nothing for %.0f s", waited_s)};
      }
      cv::Mat& buffer = pool_.next();
      if (!capture_.retrieve(buffer)) return {ReadStatus::failed, "gives what cannot be decoded"};
      frame.image = to_bgr(buffer, pool_);
      flip(frame.image);
    } catch (const std::exception&) {
      return {ReadStatus::failed, "the driver reports an error"};
    }
    frame.index = next_++;
    return {};
  }
  const SourceInfo& info() const override { return info_; }

 private:
  void flip(cv::Mat& image) const {
    if (flip_ == Flip::none) return;
    cv::flip(image, image, flip_ == Flip::horizontal ? 1 : flip_ == Flip::vertical ? 0 : -1);
  }

  cv::VideoCapture capture_;
  SourceInfo info_;
  const Flip flip_;
  FramePool pool_;
  std::uint64_t next_ = 0;
};

}  // namespace

cv::VideoCapture try_open(const std::string& what, int backend, const std::vector<int>& settings) {
  try {
    cv::VideoCapture capture;
    capture.open(what, backend, settings);
    return capture;
  } catch (const std::exception&) {
    return {};
  }
}

SourceInfo live_info(const std::string& name, cv::Size size, double fps) {
  SourceInfo info;
  info.live = true;
  info.fps = fps;
  info.description = name + cv::format(", %dx%d", size.width, size.height);
  if (fps > 0) info.description += cv::format(" at %.4g fps", fps);
  return info;
}

std::unique_ptr<VideoSource> read_live(cv::VideoCapture capture, SourceInfo info, Flip flip) {
  return std::make_unique<LiveCapture>(std::move(capture), std::move(info), flip);
}

std::unique_ptr<VideoSource> read_live(cv::VideoCapture capture, const std::string& name) {
  const double fps = capture.get(cv::CAP_PROP_FPS);
  const cv::Size size(static_cast<int>(capture.get(cv::CAP_PROP_FRAME_WIDTH)),
                      static_cast<int>(capture.get(cv::CAP_PROP_FRAME_HEIGHT)));
  SourceInfo info =
      live_info(name, size, fps > 0 && fps < 1000 ? fps : 0);  // FFmpeg: 90000 where it does not know
  return read_live(std::move(capture), std::move(info));
}

}  // namespace glimpse
