// A loaded model that names what is in a picture. LibTorch stays behind this header.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/model_identity.hpp"
#include "core/prediction.hpp"
#include "inference/model_package.hpp"

namespace glimpse {

/// "1.13.0": what this program was built with.
[[nodiscard]] std::string libtorch_version();

/// Threads for the network: `asked`, and for 0 one fewer than there are cores, at least 1.
[[nodiscard]] int threads_to_use(int asked, int cores);

struct ClassifierInfo;

struct ClassifierOptions {
  std::string model;             // a name or a folder; empty: mobilenet_v2 where it is installed, else demo
  bool quantized = false;        // int8.pt instead of float.pt
  std::string backend = "auto";  // auto, torch, onednn or xnnpack
  int threads = 0;               // for the network; 0: one fewer than there are cores, at least 1
  bool trust = false;            // run a model file whose hash is not the manifest's
  std::string models{};          // a folder in which names are looked up before the usual ones
  std::optional<bool> amx{};     // whether oneDNN may use it for int8; by itself it finds out which is faster
  /// The network that another thread of this process runs meanwhile: so no process is forked to time
  /// backends, and what is LibTorch's for the whole process stays as that one needs it.
  const ClassifierInfo* beside = nullptr;
};

struct ClassifierInfo {
  std::string name;  // of its folder: what --model calls it
  std::string folder;
  std::string sha256;    // of the model file
  std::string backend;   // the one in use
  std::string choice;    // the times that decided on the backend, where it was not asked for
  std::string fallback;  // why it is not the one asked for, mostly empty
  std::string engine;    // LibTorch's quantized engine, "" for float
  bool quantized = false;
  bool interpreted = false;  // by LibTorch, operator by operator
  int threads = 1;
  int classes = 0;
  InputSpec input{};
  double file_mib = 0;  // of the model file
  double load_ms = 0;   // read, check, compile, warm up
};

struct Classification {
  std::vector<Prediction> top;  // most probable first
  double preprocess_ms = 0;
  double inference_ms = 0;  // the network and the top-k
  std::shared_ptr<const ModelIdentity> model{};
};

/// The backends that can run a model on this machine in this build, for ClassifierOptions::backend, the
/// likely fastest last; torch, the reference, is always the first.
[[nodiscard]] std::vector<std::string> runnable_backends(bool quantized);

/// `options` with the backend that `auto` comes to. Timing backends takes processes that are forked, and so
/// must come before any network runs in this one: who loads several models settles all of them first.
[[nodiscard]] ClassifierOptions settle_backend(ClassifierOptions options);

class Classifier {
 public:
  /// Loads, checks and warms up. Throws Error(bad_data) for a model that is missing, damaged or inconsistent
  /// and Error(usage) for a backend that this build or model does not have; beside another network also
  /// Error(unavailable) where the two cannot be in one process.
  explicit Classifier(const ClassifierOptions& options);
  ~Classifier();

  /// What the network reads: the place for one frame.
  class Input {
   public:
    Input(Input&&) noexcept;
    Input& operator=(Input&&) noexcept;
    ~Input();

   private:
    friend class Classifier;
    struct Tensor;
    explicit Input(std::unique_ptr<Tensor> tensor);
    std::unique_ptr<Tensor> tensor_;
  };
  [[nodiscard]] Input make_input() const;

  /// `bgr`: 8 bit, 3 channels, any size. Gives the ms it took. From one thread at a time, while another may
  /// run the network on other inputs.
  double prepare(const cv::Mat& bgr, Input& into);
  /// From one thread at a time. `k` is cut to the number of classes. preprocess_ms is left at 0.
  [[nodiscard]] Classification classify(const Input& prepared, int k);

  /// Both, one after the other.
  [[nodiscard]] Classification classify(const cv::Mat& bgr, int k);
  /// What the network says of the same picture before the softmax: one number for each class.
  [[nodiscard]] std::vector<float> logits(const cv::Mat& bgr);
  [[nodiscard]] const ClassifierInfo& info() const;
  [[nodiscard]] const ModelIdentity& identity() const;
  [[nodiscard]] const std::vector<std::string>& labels() const;  // one for each class

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
