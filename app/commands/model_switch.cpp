#include "commands/model_switch.hpp"

#include <utility>

namespace glimpse {

std::string model_line(const ClassifierInfo& model) {
  return "model " + model.name + (model.quantized ? " int8" : " float") + " (" + model.folder + ", " +
         std::to_string(model.classes) + " classes), backend " + model.backend + ", " +
         std::to_string(model.threads) + (model.threads == 1 ? " thread" : " threads");
}

ModelSwitch::Model::Model(std::shared_ptr<Classifier> loaded) : classifier(std::move(loaded)) {
  for (std::size_t slot = 0; slot < Recognition::slots; ++slot) inputs.push_back(classifier->make_input());
}

ModelSwitch::ModelSwitch(std::shared_ptr<Classifier> first)
    : current_(std::make_shared<Model>(std::move(first))) {}

Recognition ModelSwitch::steps() {
  return {[this](const Frame& frame, std::size_t slot) { return prepare(frame, slot); },
          [this](std::size_t slot, int top_k) { return classify(slot, top_k); }};
}

ClassifierInfo ModelSwitch::info() const {
  const std::lock_guard lock(mutex_);
  return current_->classifier->info();
}

double ModelSwitch::prepare(const Frame& frame, std::size_t slot) {
  Model* model = nullptr;
  {
    const std::lock_guard lock(mutex_);
    places_[slot] = {current_, ++prepared_};
    model = current_.get();  // the place keeps it
  }
  return model->classifier->prepare(frame.image, model->inputs[slot]);
}

Classification ModelSwitch::classify(std::size_t slot, int top_k) {
  Model* model = nullptr;
  {
    const std::lock_guard lock(mutex_);
    model = places_[slot].model.get();
  }
  Classification result = model->classifier->classify(model->inputs[slot], top_k);
  const std::lock_guard lock(mutex_);
  // Frames are named in the order in which they were prepared: an older one still here was overwritten.
  for (Place& place : places_) {
    if (place.number <= places_[slot].number) place.model.reset();
  }
  freed_.notify_all();
  return result;
}

void ModelSwitch::put_in(std::shared_ptr<Classifier> next, const std::stop_token& stop) {
  auto model = std::make_shared<Model>(std::move(next));
  std::unique_lock lock(mutex_);
  std::swap(model, current_);
  // Copies are made and given up under the mutex alone, so this count is exact.
  freed_.wait(lock, stop, [&] { return model.use_count() == 1; });
}

}  // namespace glimpse
