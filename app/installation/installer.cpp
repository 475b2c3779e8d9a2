#include "installation/installer.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <random>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/waiting.hpp"
#include "inference/model_package.hpp"
#include "installation/model_archive.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

const char* form(bool quantized) {
  return quantized ? "int8" : "float";
}

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// Both forms, where they are there: their hashes are the manifest's. Throws InstallError.
void check_files(const fs::path& folder) {
  try {
    for (const bool quantized : {false, true}) {
      if (has_form(folder, quantized)) (void)read_model_file(folder, quantized, false);
    }
  } catch (const Error& error) {
    throw InstallError(std::string("the archive holds no sound model: ") + error.what());
  }
}

bool is_sound(const fs::path& folder) {
  try {
    check_files(folder);
    return true;
  } catch (const InstallError&) {
    return false;
  }
}

void refuse_full_disk(const fs::path& folder, std::uint64_t size) {
  const std::uintmax_t free = fs::space(folder).available;
  if (free >= 2 * size) return;
  throw InstallError(fmt::format("{} has {:.1f} MB free; twice the file's {:.1f} MB is needed",
                                 folder.string(), megabytes(free), megabytes(size)));
}

/// A server that hangs up while OpenSSL writes must not end the process.
void ignore_broken_pipes() {
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
}

}  // namespace

Installer::Installer(ModelStore& store, SettingsControl& control, InstallerSettings settings)
    : store_(store), control_(control), settings_(std::move(settings)) {
  if (!settings_.retry.random01) {
    settings_.retry.random01 = [engine = std::mt19937_64(std::random_device{}())]() mutable {
      return std::uniform_real_distribution<double>(0, 1)(engine);
    };
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Installer::~Installer() {
  request_stop();
}

void Installer::request_stop() {
  thread_.request_stop();
}

void Installer::install(ModelOrder order, Listener listener) {
  const std::lock_guard lock(mutex_);
  if (current_) current_->stop.request_stop();
  waiting_ = std::make_shared<Task>(Task{std::move(order), std::move(listener)});
  wake_.notify_all();
}

void Installer::abandon() {
  const std::lock_guard lock(mutex_);
  waiting_.reset();
  if (current_) current_->stop.request_stop();
}

void Installer::run(const std::stop_token& stop) {
  ignore_broken_pipes();
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return waiting_ != nullptr; })) {
    if (stop.stop_requested()) return;
    current_ = std::exchange(waiting_, nullptr);
    const auto task = current_;
    lock.unlock();
    {
      const std::stop_callback end(stop, [&task] { task->stop.request_stop(); });
      carry_out(*task, stop);
    }
    lock.lock();
    current_.reset();
  }
}

void Installer::carry_out(const Task& task, const std::stop_token& stop) {
  InstallResult result;
  try {
    result = attempt(task, stop);
  } catch (const InstallStopped&) {
    if (stop.stop_requested()) return;  // what has come so far is wanted again
    result.reason = "abandoned";
  } catch (const std::exception& error) {  // InstallError, a file that cannot be written, no memory
    result.reason = error.what();
  }
  try {
    store_.clear_incoming();
  } catch (const InstallError& error) {
    spdlog::warn("model {}: {}", task.order.name, error.what());
  }
  if (!task.stop.stop_requested()) task.listener.done(result);
}

InstallResult Installer::attempt(const Task& task, const std::stop_token& stop) {
  const ModelOrder& order = task.order;
  const bool is_there = store_.has(order.name, order.sha256) && is_sound(store_.model(order.name));
  const fs::path folder = is_there ? store_.model(order.name) : fetch(task);
  const ModelStore::Active model{order.name, form_for(task, folder)};
  const std::string sha256 = read_model_file(folder, model.quantized, false).sha256;
  if (task.stop.stop_requested()) throw InstallStopped{};

  const int activations = store_.begin_activation(order.sha256);
  if (activations > max_activations) {
    throw InstallError(fmt::format(
        "glimpse has ended {} times while it loaded this model, which is not tried again", max_activations));
  }
  task.listener.progress({"activate", 0});
  if (!is_there) store_.place(folder, order.name, order.sha256);
  std::string why = switch_to(model, stop);
  const ModelIdentity runs = control_.in_force().model;
  if (why.empty() && runs.sha256 != sha256) why = "another model was activated at the same time";
  if (!why.empty()) {
    if (!is_there) store_.roll_back(order.name);
    throw InstallError(why);
  }
  try {
    store_.keep(model);
  } catch (const InstallError& error) {
    throw InstallError(std::string(error.what()) + "; the model runs, but only until glimpse ends");
  }
  spdlog::info("model {} ({}) runs, and will from the next start on", order.name, form(model.quantized));
  return {"", runs.quantized, runs.backend, runs.sha256};
}

fs::path Installer::fetch(const Task& task) {
  const ModelOrder& order = task.order;
  const fs::path file = store_.incoming_file(order.sha256);
  refuse_full_disk(store_.folder(), order.size);
  spdlog::info("model {}: {:.1f} MB from {}", order.name, megabytes(order.size), shown_url(order.url));
  auto next_report = Steady::now();
  const auto progress = [&](std::uint64_t have) {
    if (Steady::now() < next_report) return;
    next_report = Steady::now() + settings_.progress_every;
    const int percent = static_cast<int>(std::min(have, order.size) * 100 / order.size);
    spdlog::info("model {}: {} % of {:.1f} MB", order.name, percent, megabytes(order.size));
    task.listener.progress({"download", percent});
  };
  download({order.url, file, order.size, settings_.ca_file, settings_.proxy, settings_.stalled}, order.sha256,
           settings_.retry, task.stop.get_token(), progress);
  task.listener.progress({"check", 0});
  const fs::path folder = store_.incoming_folder();
  (void)unpack_model(file, folder, max_bytes, task.stop.get_token());
  check_files(folder);
  return folder;
}

bool Installer::form_for(const Task& task, const fs::path& folder) const {
  const bool in_use = control_.in_force().model.quantized;
  const bool wanted = task.order.quantized.value_or(has_form(folder, in_use) ? in_use : !in_use);
  if (!has_form(folder, wanted))
    throw InstallError(fmt::format("the model has no {} form, which the job wants", form(wanted)));
  return wanted;
}

std::string Installer::switch_to(const ModelStore::Active& model, const std::stop_token& stop) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable_any came;
    std::optional<std::vector<Refusal>> refusals;
  };
  const auto answer = std::make_shared<Answer>();  // it may come when we are gone
  SettingsChange change;
  change.model = store_.model(model.name).string();
  change.quantized = model.quantized;
  control_.ask(std::move(change), [answer](const std::vector<Refusal>& refusals) {
    const std::lock_guard lock(answer->mutex);
    answer->refusals = refusals;
    answer->came.notify_all();
  });
  std::unique_lock lock(answer->mutex);
  const bool has_come = answer->came.wait(lock, stop, [&] { return answer->refusals.has_value(); });
  if (!has_come) {
    store_.end_activation();  // the program's end is not the model's fault
    throw InstallStopped{};
  }
  std::string why;
  for (const Refusal& refusal : *answer->refusals)
    why += (why.empty() ? "" : "; ") + refusal.setting + ": " + refusal.reason;
  return why;
}

}  // namespace glimpse
