#include "inference/model_package.hpp"

#include <algorithm>

#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

// SHA-256 of "abc", from FIPS 180-2, appendix B.1.
const std::string sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string manifest(const std::string& sha256) {
  return R"({"labels": ["cat", "dog"], "files": {"float.pt": {"sha256": ")" + sha256 + R"("}}})";
}

template <class F>
std::string refusal(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::bad_data);
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

std::string description(const std::string& input) {
  return R"({"format": "glimpse-model/1", "name": "m", "labels": ["cat"], "input": )" + input + "}";
}

}  // namespace

TEST_CASE("A model file whose hash is the manifest's is read") {
  const TempFolder folder;
  folder.write("float.pt", "abc");
  folder.write("manifest.json", manifest(sha256_of_abc));
  const ModelFile file = read_model_file(folder.path(), false, false);
  CHECK(file.bytes == "abc");
  CHECK(file.sha256 == sha256_of_abc);
  CHECK(file.manifest_labels == std::vector<std::string>{"cat", "dog"});
}

TEST_CASE("A changed model file is refused, unless it is trusted") {
  const TempFolder folder;
  folder.write("float.pt", "abd");
  folder.write("manifest.json", manifest(sha256_of_abc));
  CHECK_THAT(
      refusal([&] { (void)read_model_file(folder.path(), false, false); }),
      ContainsSubstring("float.pt") && ContainsSubstring(sha256_of_abc) && ContainsSubstring("--trust"));
  CHECK(read_model_file(folder.path(), false, true).bytes == "abd");
}

TEST_CASE("A folder without a manifest is refused, unless it is trusted") {
  const TempFolder folder;
  folder.write("float.pt", "abc");
  CHECK_THAT(refusal([&] { (void)read_model_file(folder.path(), false, false); }),
             ContainsSubstring("manifest.json is missing"));
  CHECK(read_model_file(folder.path(), false, true).manifest_labels.empty());
}

TEST_CASE("A form that the folder does not have is named") {
  const TempFolder folder;
  folder.write("float.pt", "abc");
  folder.write("manifest.json", manifest(sha256_of_abc));
  CHECK_THAT(refusal([&] { (void)read_model_file(folder.path(), true, false); }),
             ContainsSubstring("int8.pt is missing") && ContainsSubstring("without --quantized"));
}

TEST_CASE("A broken manifest is named") {
  const TempFolder folder;
  folder.write("float.pt", "abc");
  for (const char* text : {"", "{", "[]", R"({"labels": 3})", R"({"labels": ["cat"]})",
                           R"({"labels": [], "files": {}})", R"({"labels": [1e999]})"}) {
    folder.write("manifest.json", text);
    CAPTURE(text);
    CHECK_THAT(refusal([&] { (void)read_model_file(folder.path(), false, false); }),
               ContainsSubstring("manifest.json"));
  }
}

TEST_CASE("A model is found by its folder; an unknown one is an error that lists what there is") {
  CHECK(find_model(GLIMPSE_ROOT "/models/demo") == std::filesystem::path(GLIMPSE_ROOT "/models/demo"));
  CHECK_THAT(refusal([] { (void)find_model("no-such-model"); }), ContainsSubstring("no-such-model"));
  CHECK_THAT(refusal([] { (void)find_model("/nowhere/at-all"); }), ContainsSubstring("/nowhere/at-all"));
}

TEST_CASE("A name is looked up in the folder that comes first, and a path is not") {
  const TempFolder folder;
  folder.write("demo/float.pt", "abc");
  CHECK(find_model("demo", folder.path()) == folder.path() / "demo");
  CHECK(find_model("", folder.path()) == folder.path() / "demo");
  CHECK(find_model(GLIMPSE_ROOT "/models/demo", folder.path()) == GLIMPSE_ROOT "/models/demo");
  CHECK_THAT(refusal([&] { (void)find_model("none", folder.path()); }),
             ContainsSubstring((folder.path() / "demo").string()));
}

TEST_CASE("A description is checked whole") {
  const ModelDescription good = parse_description(
      description(R"({"width": 224, "height": 200, "resize": 256, "mean": [0, 0.5, 1], "std": [1, 2, 3]})"),
      "x");
  CHECK(good.input.height == 200);
  CHECK(good.input.std[2] == 3);
  CHECK(good.input.interpolation == Interpolation::bilinear);
  for (const char* input :
       {"3", "{}", R"({"width": 0, "height": 224, "resize": 224, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 224, "height": 224, "resize": 100, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 99999, "height": 224, "resize": 224, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 224, "height": 224, "resize": 224, "mean": [0, 0, 0], "std": [1, 0, 1]})",
        R"({"width": 224, "height": 224, "resize": 224, "mean": [0, 0], "std": [1, 1, 1]})",
        R"({"width": 1e300, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 4294967520, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 224.5, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 224, "height": 224, "resize": 256, "mean": [1e300, 0, 0], "std": [1, 1, 1]})",
        R"({"width": 224, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1e300, 1, 1]})",
        R"({"width": 1e999, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1, 1, 1]})"}) {
    CAPTURE(input);
    CHECK_THAT(refusal([&] { (void)parse_description(description(input), "origin"); }),
               ContainsSubstring("origin"));
  }
  const auto with_interpolation = [](const std::string& value) {
    return description(
        R"({"width": 224, "height": 224, "resize": 256, "mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": )" +
        value + "}");
  };
  CHECK(parse_description(with_interpolation(R"("bicubic")"), "x").input.interpolation ==
        Interpolation::bicubic);
  for (const char* other : {R"("lanczos")", "3", "null"}) {
    CHECK_THAT(refusal([&] { (void)parse_description(with_interpolation(other), "origin"); }),
               ContainsSubstring("origin"));
  }
  CHECK_THAT(refusal([] { (void)parse_description(R"({"format": "other/9"})", "origin"); }),
             ContainsSubstring("glimpse-model/1"));
}

TEST_CASE("A name is an installed model's before it is that of a folder here; a path is always a path") {
  const TempFolder folder;
  folder.write("models/one/float.pt", "");
  folder.write("one/float.pt", "");
  folder.write("two/int8.pt", "");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(find_model("one") == "models/one");
  CHECK(find_model("./one") == "one");
  CHECK(find_model("one/") == "one/");
  CHECK(find_model("two") == "two");
  CHECK_THAT(refusal([] { (void)find_model(".."); }), ContainsSubstring("no model '..'"));
  std::filesystem::current_path(before);
}

TEST_CASE("What the network sees is the middle of the frame") {
  // torchvision's Resize(256), CenterCrop(224) of 1920x1080: 455x256, of which 224x224 stay.
  const PictureCrop wide = visible_part({224, 224, 256}, 1920, 1080);
  CHECK(wide.height == Approx(224.0 / 256));
  CHECK(wide.width == Approx(224.0 / 455).epsilon(0.002));
  CHECK(wide.x == Approx((455 - 224) / 2.0 / 455).epsilon(0.003));
  CHECK(wide.y == Approx(16.0 / 256));
  const PictureCrop tall = visible_part({224, 224, 224}, 480, 640);
  CHECK(tall.width == 1);
  CHECK(tall.height == Approx(0.75));
}

TEST_CASE("All installed models are listed by name, each of which can be asked for") {
  const std::vector<InstalledModel> models = installed_models();
  const auto demo =
      std::find_if(models.begin(), models.end(), [](const auto& model) { return model.name == "demo"; });
  REQUIRE(demo != models.end());
  CHECK(demo->has_float);
  CHECK(demo->has_int8);
  for (const InstalledModel& model : models) CHECK_NOTHROW(find_model(model.name));
}
