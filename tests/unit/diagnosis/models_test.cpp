#include "diagnosis/models.hpp"

#include "catch.hpp"
#include "shown.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

// printf weights | sha256sum
constexpr const char* hash = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";

/// As much of a model as has a hash.
fs::path model(const TempFolder& folder, const std::string& float_hash) {
  folder.write("small/float.pt", "weights");
  folder.write("small/int8.pt", "weights");
  folder.write("small/manifest.json", R"({"labels": ["a", "b"], "files": {"float.pt": {"sha256": ")" +
                                          float_hash + R"("}, "int8.pt": {"sha256": ")" + hash + R"("}}})");
  return folder.path() / "small";
}

ClassifierOptions asked(bool quantized = false, bool trust = false) {
  ClassifierOptions options;
  options.quantized = quantized;
  options.trust = trust;
  return options;
}

}  // namespace

TEST_CASE("A model whose files are those of its manifest") {
  const TempFolder folder;
  const fs::path it = model(folder, hash);
  CHECK(shown(check_model(it, asked(), true)) ==
        "ok model: " + it.string() + ": float 0.0 MB, int8 0.0 MB, SHA-256 as in its manifest, 2 classes");
  CHECK_THAT(shown(check_model(it, asked(), false)), ContainsSubstring("ok model small: "));
}

TEST_CASE("A damaged file fails the run that takes it, and is a warning for any other") {
  const TempFolder folder;
  const fs::path it = model(folder, std::string(64, '0'));
  const Check taken = check_model(it, asked(), true);
  CHECK_THAT(shown(taken),
             ContainsSubstring("fail model: " + (it / "float.pt").string() +
                               " is damaged or not the file of its manifest: its SHA-256 is " + hash));
  CHECK_THAT(taken.remedy, ContainsSubstring("fetch or export the model again"));
  CHECK(taken.code == ExitCode::bad_data);
  CHECK_THAT(shown(check_model(it, asked(true), true)), ContainsSubstring("warn model: "));
  CHECK_THAT(shown(check_model(it, asked(), false)), ContainsSubstring("warn model small: "));
  CHECK_THAT(shown(check_model(it, asked(false, true), true)), ContainsSubstring("warn model: "));  // --trust
}

TEST_CASE("The form that a run asks for must be there, the other need not") {
  const TempFolder folder;
  const fs::path it = model(folder, hash);
  fs::remove(it / "int8.pt");
  CHECK_THAT(shown(check_model(it, asked(), true)), ContainsSubstring(": float 0.0 MB, SHA-256"));
  CHECK_THAT(shown(check_model(it, asked(true), true)), ContainsSubstring("fail model: "));
  fs::remove(it / "manifest.json");
  CHECK_THAT(shown(check_model(it, asked(), true)), ContainsSubstring("fail model: "));
}

TEST_CASE("A model that is not there, and no manifest that can be read, are named") {
  const TempFolder folder;
  const fs::path it = model(folder, hash);
  folder.write("small/manifest.json", "{");
  CHECK_THAT(shown(check_model(it, asked(), true)), ContainsSubstring("is not JSON"));
  ClassifierOptions options = asked();
  options.model = (folder.path() / "none").string();
  const Checks checks = carry_out(model_examinations(options).front(), {});
  CHECK_THAT(shown(checks.front()), ContainsSubstring("fail model: no model '" + options.model + "'"));
  CHECK_THAT(checks.front().remedy, ContainsSubstring("with --model"));
  CHECK(checks.front().code == ExitCode::bad_data);
}

TEST_CASE("A model without a manifest has something that mends it, too") {
  const TempFolder folder;
  ClassifierOptions options = asked();
  options.model = model(folder, hash).string();
  fs::remove(folder.path() / "small/manifest.json");
  std::vector<Check> found;
  carry_out(
      {model_examinations(options).front()}, {}, [](const std::string&) {},
      [&](const Check& check) { found.push_back(check); });
  CHECK_THAT(shown(found.front()), ContainsSubstring("fail model: "));
  CHECK_THAT(found.front().remedy, ContainsSubstring("export the model again"));
}
