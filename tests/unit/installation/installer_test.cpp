#include "installation/installer.hpp"

#include <future>

#include "captured_log.hpp"
#include "catch.hpp"
#include "inference/model_package.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Loads nothing: takes a model's hash for its running.
class FakeControl : public SettingsControl {
 public:
  InForce in_force() const override {
    const std::lock_guard lock(mutex_);
    return in_force_;
  }
  void ask(SettingsChange change, std::function<void(const std::vector<Refusal>&)> done) override {
    {
      const std::lock_guard lock(mutex_);
      asked.push_back(change);
      if (silent) return;
      if (refusal.empty()) {
        in_force_.model.quantized = *change.quantized;
        in_force_.model.backend = "torch";
        in_force_.model.sha256 = read_model_file(*change.model, *change.quantized, false).sha256;
        if (overtaken) in_force_.model.sha256 = "another";
      }
    }
    answer_ = std::jthread([this, done] {
      done(refusal.empty() ? std::vector<Refusal>{} : std::vector{Refusal{"model", refusal}});
    });
  }
  std::size_t asks() const {
    const std::lock_guard lock(mutex_);
    return asked.size();
  }
  void use(bool quantized) { in_force_.model.quantized = quantized; }

  std::vector<SettingsChange> asked;
  std::string refusal;
  bool silent = false;
  bool overtaken = false;  // another change comes right after

 private:
  mutable std::mutex mutex_;
  InForce in_force_{};
  std::jthread answer_;
};

struct Device {
  TempFolder folder;
  FakeControl control;
  std::unique_ptr<ModelStore> store = std::make_unique<ModelStore>(folder.path() / "models");
  std::optional<Installer> installer;
  CapturedLog log;

  Device() { start(); }
  void start() {
    InstallerSettings settings;
    settings.progress_every = 0ms;
    settings.stalled = 2s;
    settings.retry = {2, 1'000'000, 1ms, 2ms, [] { return 0.5; }};
    installer.emplace(*store, control, settings);
  }
  void restart() {
    installer.reset();
    store.reset();
    store = std::make_unique<ModelStore>(folder.path() / "models");
    start();
  }
  [[nodiscard]] bool is_clean() const {
    return fs::is_empty(path(".incoming")) && fs::is_empty(path(".previous"));
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder.path() / "models" / name; }
};

ModelOrder order_of(const std::string& archive, const std::string& url, const std::string& name = "birds") {
  return {name, url, sha256_of(archives() / archive), fs::file_size(archives() / archive), std::nullopt};
}

/// What came of an order, and what was said meanwhile.
struct Course {
  std::promise<InstallResult> done;
  std::mutex mutex;
  std::vector<std::string> steps;

  ModelInstaller::Listener listener() {
    return {[this](const InstallProgress& it) {
              const std::lock_guard lock(mutex);
              if (steps.empty() || steps.back() != it.step) steps.push_back(it.step);
            },
            [this](const InstallResult& it) { done.set_value(it); }};
  }
  InstallResult wait() {
    auto result = done.get_future();
    REQUIRE(result.wait_for(30s) == std::future_status::ready);
    return result.get();
  }
};

InstallResult install(Device& device, const ModelOrder& order) {
  Course course;
  device.installer->install(order, course.listener());
  return course.wait();
}

InstallResult install(Device& device, const std::string& archive, const std::string& name = "birds") {
  const HttpServer server(archives() / archive);
  return install(device, order_of(archive, server.url("/plain/x"), name));
}

}  // namespace

TEST_CASE("a model is fetched, installed and activated") {
  Device device;
  const HttpServer server(archives() / "good.tar.gz");
  Course course;
  device.installer->install(order_of("good.tar.gz", server.url("/plain/x?secret")), course.listener());
  const InstallResult result = course.wait();
  CHECK(result.reason.empty());
  CHECK(result.backend == "torch");
  CHECK_FALSE(result.quantized);
  CHECK(result.sha256 == sha256_of(device.path("birds/float.pt")));
  CHECK(course.steps == std::vector<std::string>{"download", "check", "activate"});
  REQUIRE(device.control.asked.size() == 1);
  CHECK(device.control.asked[0].model == device.path("birds").string());
  CHECK(device.is_clean());
  CHECK(device.log.count("secret") == 0);
  device.restart();
  CHECK(device.store->active()->name == "birds");
}

TEST_CASE("the form is the job's, else the one in use, else the one there is") {
  Device device;
  device.control.use(true);
  CHECK(install(device, "good.tar").quantized);
  CHECK_FALSE(install(device, "float.tar", "cats").quantized);
  device.control.use(true);
  const HttpServer server(archives() / "good.tar");
  ModelOrder order = order_of("good.tar", server.url("/plain/x"), "dogs");
  order.quantized = false;
  CHECK_FALSE(install(device, order).quantized);
}

TEST_CASE("a form that the job wants and the model has not is a failure") {
  Device device;
  const HttpServer server(archives() / "float.tar");
  ModelOrder order = order_of("float.tar", server.url("/plain/x"));
  order.quantized = true;
  CHECK(install(device, order).reason == "the model has no int8 form, which the job wants");
  CHECK(device.is_clean());
  CHECK_FALSE(fs::exists(device.path("birds")));
}

TEST_CASE("what fails leaves all as it was") {
  Device device;
  REQUIRE(install(device, "good.tar").reason.empty());
  const std::string before = bytes_of(device.path("birds/manifest.json"));
  std::string reason;
  SECTION("a hash that is another") {
    const HttpServer server(archives() / "good.tar");
    ModelOrder order = order_of("good.tar", server.url("/plain/x"));
    order.sha256 = std::string(64, 'a');
    reason = install(device, order).reason;
    CHECK_THAT(reason, ContainsSubstring("it is another file, or damaged"));
  }
  SECTION("a URL that stalls") {
    const HttpServer server(archives() / "good.tar.gz");
    reason = install(device, order_of("good.tar.gz", server.url("/stall/x"))).reason;
    CHECK_THAT(reason, ContainsSubstring("given up after 2 attempts"));
  }
  SECTION("a file larger than announced") {
    const HttpServer server(archives() / "good.tar.gz");
    reason = install(device, order_of("good.tar.gz", server.url("/longer/x"))).reason;
    CHECK_THAT(reason, ContainsSubstring("announced"));
  }
  SECTION("a file for which there is no place") {
    ModelOrder order = order_of("good.tar.gz", "http://localhost:1/x");
    order.size = fs::space(device.folder.path()).available / 2 + (1 << 20);
    reason = install(device, order).reason;
    CHECK_THAT(reason, ContainsSubstring("MB free; twice the file's"));
  }
  SECTION("an archive that holds something else") {
    reason = install(device, "symlink.tar").reason;
    CHECK_THAT(reason, ContainsSubstring("is a link or a device"));
  }
  SECTION("a model that is not its manifest's") {
    reason = install(device, "wrong_manifest.tar").reason;
    CHECK_THAT(reason, ContainsSubstring("the archive holds no sound model"));
  }
  SECTION("a manifest that is none") {
    reason = install(device, "no_json.tar").reason;
    CHECK_THAT(reason, ContainsSubstring("the archive holds no sound model"));
  }
  SECTION("a model that somebody else has replaced at once") {
    device.control.overtaken = true;
    reason = install(device, "float.tar").reason;
    CHECK(reason == "another model was activated at the same time");
  }
  SECTION("a model that cannot be loaded") {
    device.control.refusal = "it has no labels";
    reason = install(device, "float.tar").reason;
    CHECK(reason == "model: it has no labels");
  }
  CHECK(bytes_of(device.path("birds/manifest.json")) == before);
  CHECK(fs::exists(device.path("birds/int8.pt")));
  CHECK(device.is_clean());
  device.restart();
  CHECK(device.store->active()->name == "birds");
}

TEST_CASE("an order that was carried out is not fetched again") {
  Device device;
  const HttpServer server(archives() / "good.tar");
  const ModelOrder order = order_of("good.tar", server.url("/plain/x"));
  CHECK(install(device, order).reason.empty());
  CHECK(install(device, order).reason.empty());
  CHECK(server.requests().size() == 1);
  CHECK(device.control.asked.size() == 2);
  SECTION("but where it was damaged since") {
    std::ofstream(device.path("birds/float.pt")) << "x";
    CHECK(install(device, order).reason.empty());
    CHECK(server.requests().size() == 2);
  }
  SECTION("and stays where it is not taken this time") {
    device.control.refusal = "no memory";
    CHECK(install(device, order).reason == "model: no memory");
    CHECK(fs::exists(device.path("birds/float.pt")));
  }
}

TEST_CASE("an order that the program's end interrupts goes on where it was") {
  Device device;
  const HttpServer server(archives() / "good.tar");
  const ModelOrder order = order_of("good.tar", server.url("/stall-once/x"));
  const auto part = device.path(".incoming/" + order.sha256 + ".part");
  {
    InstallerSettings settings;  // with all its patience
    device.installer.reset();
    device.installer.emplace(*device.store, device.control, settings);
    Course course;
    device.installer->install(order, course.listener());
    while (!fs::exists(part) || fs::file_size(part) < order.size / 2) std::this_thread::yield();
    const auto began = std::chrono::steady_clock::now();
    device.restart();
    CHECK(std::chrono::steady_clock::now() - began < 2s);
    CHECK(course.done.get_future().wait_for(0s) == std::future_status::timeout);
  }
  CHECK(install(device, order).reason.empty());
  CHECK_THAT(server.requests().back(), ContainsSubstring("bytes=" + std::to_string(order.size / 2) + "-"));
}

TEST_CASE("an order that is abandoned leaves nothing behind, and tells nobody") {
  Device device;
  const HttpServer server(archives() / "good.tar"), next(archives() / "float.tar");
  const ModelOrder order = order_of("good.tar", server.url("/stall/x"));
  Course abandoned;
  device.installer->install(order, abandoned.listener());
  while (server.requests().empty()) std::this_thread::yield();
  SECTION("by word") {
    device.installer->abandon();
  }
  SECTION("for another") {}
  CHECK(install(device, order_of("float.tar", next.url("/plain/x"), "cats")).reason.empty());
  CHECK(abandoned.done.get_future().wait_for(0s) == std::future_status::timeout);
  CHECK(device.is_clean());
  CHECK_FALSE(fs::exists(device.path("birds")));
}

TEST_CASE("a program's end while the model is loaded undoes the installation, and is not the model's fault") {
  Device device;
  const HttpServer server(archives() / "good.tar");
  const ModelOrder order = order_of("good.tar", server.url("/plain/x"));
  for (int i = 0; i < 2 * Installer::max_activations; ++i) {
    device.control.silent = true;
    Course course;
    device.installer->install(order, course.listener());
    while (device.control.asks() <= static_cast<std::size_t>(i)) std::this_thread::yield();
    device.restart();
    CHECK_FALSE(fs::exists(device.path("birds")));
  }
  device.control.silent = false;
  CHECK(install(device, order).reason.empty());
  CHECK(server.requests().size() == 1);  // what had come was not fetched again
}

TEST_CASE("a model that ends the program each time is given up") {
  Device device;
  const HttpServer server(archives() / "good.tar");
  const ModelOrder order = order_of("good.tar", server.url("/plain/x"));
  for (int i = 0; i < Installer::max_activations; ++i) (void)device.store->begin_activation(order.sha256);
  CHECK_THAT(install(device, order).reason,
             ContainsSubstring("glimpse has ended 3 times while it loaded this model"));
  CHECK(device.control.asked.empty());
  CHECK(device.is_clean());
}
