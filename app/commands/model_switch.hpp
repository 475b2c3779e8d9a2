// How a pipeline uses a Classifier, and exchanges it for another while frames come.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "inference/classifier.hpp"
#include "pipeline/pipeline.hpp"

namespace glimpse {

/// "model demo float (models/demo, 91 classes), backend xnnpack, 1 thread".
[[nodiscard]] std::string model_line(const ClassifierInfo& model);

/// A frame is named by the classifier that prepared it. Outlives the pipelines that use its steps.
class ModelSwitch {
 public:
  explicit ModelSwitch(std::shared_ptr<Classifier> first);

  [[nodiscard]] Recognition steps();
  /// Of the one in use.
  [[nodiscard]] ClassifierInfo info() const;
  /// From the next frame on `next` is in use. Comes back when the last frame of the one before is named and
  /// that one is freed, here and not where frames are named; or at a stop.
  void put_in(std::shared_ptr<Classifier> next, const std::stop_token& stop);

 private:
  struct Model {
    explicit Model(std::shared_ptr<Classifier> loaded);
    std::shared_ptr<Classifier> classifier;
    std::vector<Classifier::Input> inputs;  // one for each slot
  };
  struct Place {
    std::shared_ptr<Model> model;  // of the frame that is in it; empty: none is
    std::uint64_t number = 0;      // of that frame
  };

  double prepare(const Frame& frame, std::size_t slot);
  [[nodiscard]] Classification classify(std::size_t slot, int top_k);

  mutable std::mutex mutex_;  // guards all below; not held while a model works
  std::condition_variable_any freed_;
  std::shared_ptr<Model> current_;
  std::array<Place, Recognition::slots> places_;
  std::uint64_t prepared_ = 0;
};

}  // namespace glimpse
