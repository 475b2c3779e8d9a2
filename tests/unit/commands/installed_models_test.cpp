#include "commands/installed_models.hpp"

#include "captured_log.hpp"
#include "catch.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

/// A state folder in which a job has installed the demo model under another name.
struct Device {
  TempFolder folder;
  Settings settings;
  CapturedLog log;

  Device() {
    settings.outbox.state = folder.path();
    ModelStore store(folder.path() / "models");
    const fs::path unpacked = store.incoming_folder();
    for (const char* file : {"manifest.json", "float.pt", "int8.pt"})
      fs::copy_file(fs::path(GLIMPSE_ROOT) / "models/demo" / file, unpacked / file);
    store.place(unpacked, "birds", "one");
    store.keep({"birds", true});
  }
  [[nodiscard]] std::shared_ptr<Classifier> begin(ClassifierOptions options) const {
    const auto installed = open_models(settings.outbox);
    options.models = installed->folder();
    return first_model(*installed, options);
  }
  [[nodiscard]] std::string installed() const { return folder.path() / "models/birds"; }
};

ClassifierOptions asked(const std::string& model = GLIMPSE_ROOT "/models/demo") {
  ClassifierOptions options;
  options.model = model;
  options.backend = "torch";
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("a device begins with the model that the last job has installed") {
  Device device;
  const auto model = device.begin(asked());
  CHECK(model->info().folder == device.installed());
  CHECK(model->info().quantized);
  CHECK(device.log.count("the last job has installed") == 1);
}

TEST_CASE("without the marker it begins with the configured one, and finds the installed ones by name") {
  Device device;
  fs::remove(device.folder.path() / "models/.activated.json");
  CHECK(device.begin(asked())->info().folder == GLIMPSE_ROOT "/models/demo");
  const auto model = device.begin(asked("birds"));
  CHECK(model->info().folder == device.installed());
  CHECK_FALSE(model->info().quantized);
}

TEST_CASE("an installed model that was damaged does not keep the device from running") {
  Device device;
  std::ofstream(device.installed() + "/int8.pt") << "x";
  CHECK(device.begin(asked())->info().folder == GLIMPSE_ROOT "/models/demo");
  CHECK(device.log.count("cannot be loaded, the configured one is used") == 1);
}
