#include "diagnosis/models.hpp"

#include <cstdio>

#include "core/error.hpp"
#include "diagnosis/failure.hpp"
#include "inference/model_package.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

Check check_form(const fs::path& folder, bool quantized, const ClassifierOptions& asked, std::string& text,
                 std::size_t& classes) {
  const std::string form = quantized ? "int8" : "float";
  const auto add = [&](const ModelFile& file) {
    text += (text.empty() ? "" : ", ") + form + " " + megabytes(file.bytes.size());
    classes = file.manifest_labels.size();
  };
  try {
    add(read_model_file(folder, quantized, false));
    return Check::ok("", "");
  } catch (const Error& error) {
    if (!asked.trust) return failure("", error);
    add(read_model_file(folder, quantized, true));
    const Check why = failure("", error);
    return Check::warn("", why.text, why.remedy);
  }
}

}  // namespace

Check check_model(const fs::path& folder, const ClassifierOptions& asked, bool wanted) {
  const std::string name = wanted ? "model" : "model " + folder.filename().string();
  std::string text;
  std::size_t classes = 0;
  Check worst = Check::ok(name, "");
  for (const bool quantized : {false, true}) {
    const bool needed = wanted && quantized == asked.quantized;
    if (!needed && !has_form(folder, quantized)) continue;
    Check found = check_form(folder, quantized, asked, text, classes);
    if (found.state == Check::State::fail && !needed) found.state = Check::State::warn;
    if (found.state == Check::State::fail || worst.state == Check::State::ok) worst = std::move(found);
  }
  worst.name = name;
  if (worst.state == Check::State::ok) {
    worst.text = folder.string() + ": " + text + ", SHA-256 as in its manifest, " + std::to_string(classes) +
                 " classes";
  }
  return worst;
}

std::vector<Examination> model_examinations(const ClassifierOptions& asked) {
  constexpr auto limit = std::chrono::seconds(20);  // a large model on a slow card
  const std::string remedy = "fetch or export the model again: docs/quantization.md";
  std::vector<Examination> examinations;
  fs::path wanted;
  try {
    wanted = find_model(asked.model, asked.models);
    examinations.push_back({"model",
                            limit,
                            [=] { return Checks{check_model(wanted, asked, true)}; },
                            ExitCode::bad_data,
                            {},
                            remedy});
  } catch (const Error& error) {
    const Check missing = Check::fail(
        "model", error.what(), "name one, or its folder, with --model: models/README.md", error.code());
    examinations.push_back({"model", limit, [missing] { return Checks{missing}; }, ExitCode::bad_data});
  }
  std::error_code ignored;
  for (const InstalledModel& model : installed_models(asked.models)) {
    if (fs::equivalent(model.folder, wanted, ignored)) continue;
    examinations.push_back({"model " + model.name,
                            limit,
                            [=] { return Checks{check_model(model.folder, asked, false)}; },
                            ExitCode::bad_data,
                            {},
                            remedy});
  }
  return examinations;
}

}  // namespace glimpse
