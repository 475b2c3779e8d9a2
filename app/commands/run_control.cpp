#include "commands/run_control.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "commands/model_switch.hpp"
#include "config/live_change.hpp"
#include "core/bell.hpp"
#include "core/text.hpp"
#include "inference/model_package.hpp"

namespace glimpse {

LoadModel load_beside(ModelSwitch& models, const ClassifierOptions& options) {
  return [&models, options](const std::optional<std::string>& model,
                            std::optional<bool> quantized) -> std::optional<ReadyModel> {
    const ClassifierInfo running = models.info();
    ClassifierOptions asked = options;
    asked.quantized = quantized.value_or(running.quantized);
    asked.model = running.folder;
    if (model) asked.model = find_model(*model, options.models).string();
    asked.beside = &running;
    // The file may be another by now.
    std::error_code ignored;
    const bool same_place = std::filesystem::equivalent(asked.model, running.folder, ignored);
    if (same_place && asked.quantized == running.quantized &&
        read_model_file(running.folder, asked.quantized, asked.trust).sha256 == running.sha256)
      return std::nullopt;
    auto next = std::make_shared<Classifier>(asked);
    if (!next->info().fallback.empty()) spdlog::warn("{}", next->info().fallback);
    if (!next->info().choice.empty()) spdlog::info("{}", next->info().choice);
    const ModelIdentity identity = next->identity();
    return ReadyModel{identity, [&models, next](const std::stop_token& stop) mutable {
                        spdlog::info("from the next frame on {}, loaded in {:.0f} ms",
                                     model_line(next->info()), next->info().load_ms);
                        models.put_in(std::exchange(next, nullptr), stop);
                      }};
  };
}

RunControl::RunControl(SharedSettings& live, ModelIdentity model, LoadModel load, Bell& changed)
    : live_(live), load_(std::move(load)), changed_(changed), model_(std::move(model)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

RunControl::~RunControl() {
  end();
}

InForce RunControl::in_force() const {
  const std::lock_guard lock(mutex_);
  return {live_.get(), model_};
}

void RunControl::ask(SettingsChange change, std::function<void(const std::vector<Refusal>&)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < capacity) {
      waiting_.push_back({std::move(change), std::move(done)});
      asked_.notify_all();
      return;
    }
  }
  done({{"", std::to_string(capacity) + " changes wait already: ask again later"}});
}

void RunControl::end() {
  thread_.request_stop();
  const std::lock_guard lock(answering_);  // one that is being called comes to its end
}

void RunControl::run(const std::stop_token& stop) {
  while (true) {
    Asked next;
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [this] { return !waiting_.empty(); }) || stop.stop_requested()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const std::vector<Refusal> refusals = carry_out(next.change, stop);
    const std::lock_guard lock(answering_);
    if (stop.stop_requested()) return;
    next.done(refusals);
  }
}

std::vector<Refusal> RunControl::carry_out(const SettingsChange& change, const std::stop_token& stop) {
  if (auto refusals = out_of_range(change); !refusals.empty()) return refusals;
  std::optional<ReadyModel> model;
  try {
    if (change.model || change.quantized) model = load_(change.model, change.quantized);
  } catch (const std::exception& error) {
    return {{change.model ? "model" : "quantized", escape_control(error.what())}};
  }
  if (stop.stop_requested()) return {};  // the run has ended meanwhile
  {
    const std::lock_guard lock(mutex_);
    LiveSettings settings = live_.get();
    if (change.interval) settings.interval = *change.interval;
    if (change.events) settings.events = *change.events;
    if (change.top_k) settings.top_k = *change.top_k;
    live_.set(settings);
    if (model) model_ = model->identity;
  }
  if (model) model->put_in(stop);
  changed_.ring();
  return {};
}

}  // namespace glimpse
