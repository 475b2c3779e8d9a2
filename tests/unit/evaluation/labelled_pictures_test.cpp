#include "evaluation/labelled_pictures.hpp"

#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

namespace fs = std::filesystem;

// "crane" is two classes, as in ImageNet.
const std::vector<std::string> labels{"cat", "crane", "crane", "say \"cheese\", please", "dog"};

/// A folder with two pictures; whether they can be decoded is not asked here.
struct Pictures : TempFolder {
  Pictures() {
    write("a.jpg", "");
    fs::create_directory(path() / "more");
    write("more/b, c.jpg", "");
  }
  [[nodiscard]] std::vector<LabelledPicture> read(const std::string& csv) const {
    return read_labels(write("labels.csv", csv), path(), labels);
  }
};

template <class F>
std::string refusal(F&& action, ExitCode expected = ExitCode::bad_data) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == expected);
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

/// A folder with these folders in it, and one picture in each.
struct ClassFolders : TempFolder {
  explicit ClassFolders(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      fs::create_directory(path() / name);
      write(name + "/1.jpg", "");
    }
  }
  [[nodiscard]] std::vector<int> truths(const std::vector<std::string>& of_model = labels) const {
    std::vector<int> found;
    for (const auto& picture : read_class_folders(path(), of_model)) found.push_back(picture.truth);
    return found;
  }
};

}  // namespace

TEST_CASE("A CSV names each picture's class by index or by label") {
  const Pictures folder;
  const auto by_index = folder.read("file,index\na.jpg,4\n\"more/b, c.jpg\",0\n");
  REQUIRE(by_index.size() == 2);
  CHECK(by_index[0].file == "a.jpg");
  CHECK(by_index[0].truth == 4);
  CHECK(by_index[1].file == "more/b, c.jpg");
  const auto by_label = folder.read(
      "\xef\xbb\xbf"
      "file,label\r\na.jpg,\"say \"\"cheese\"\", please\"\r\na.jpg,dog\r\n");
  CHECK(by_label[0].truth == 3);
  CHECK(by_label[1].truth == 4);
}

TEST_CASE("A bad row is named by its line, before any picture is read") {
  const Pictures folder;
  const auto refused = [&](const std::string& csv) { return refusal([&] { (void)folder.read(csv); }); };
  CHECK_THAT(refused(""), ContainsSubstring("is empty"));
  CHECK_THAT(refused("file,index\n"), ContainsSubstring("no pictures"));
  CHECK_THAT(refused("a.jpg,4\n"), ContainsSubstring("csv:1: expected the header file,index or file,label"));
  CHECK_THAT(refused("file,index\na.jpg,4\nb.jpg,3\n"),
             ContainsSubstring("csv:3: no such file") && ContainsSubstring("b.jpg"));
  CHECK_THAT(refused("file,index\nmore,3\n"), ContainsSubstring("csv:2: no such file"));
  for (const char* index : {"5", "-1", "one", "1.5", "", "99999999999", " 1"}) {
    CAPTURE(index);
    CHECK_THAT(refused(std::string("file,index\na.jpg,") + index + "\n"),
               ContainsSubstring("csv:2: expected a class index from 0 to 4"));
  }
  CHECK_THAT(refused("file,label\na.jpg,horse\n"),
             ContainsSubstring("csv:2: the model has no label \"horse\""));
  CHECK_THAT(refused("file,label\na.jpg,crane\n"), ContainsSubstring("classes 1 and 2"));
  CHECK_THAT(refused("file,label\na.jpg,say cheese, please\n"),
             ContainsSubstring("csv:2: expected 2 fields, got 3"));
}

TEST_CASE("A folder or a CSV that is not there is no source") {
  const Pictures folder;
  const fs::path csv = folder.write("labels.csv", "file,index\na.jpg,0\n");
  CHECK_THAT(refusal([&] { (void)read_labels(csv, "/nowhere", labels); }, ExitCode::no_source),
             ContainsSubstring("/nowhere"));
  CHECK_THAT(refusal([&] { (void)read_labels(csv, csv, labels); }, ExitCode::no_source),
             ContainsSubstring("not a folder"));
  CHECK_THAT(refusal([&] { (void)read_labels("/nowhere.csv", folder.path(), labels); }, ExitCode::no_source),
             ContainsSubstring("/nowhere.csv"));
  CHECK_THAT(refusal([&] { (void)read_class_folders("/nowhere", labels); }, ExitCode::no_source),
             ContainsSubstring("/nowhere"));
}

TEST_CASE("Class folders are named by label or by index") {
  const ClassFolders folder({"dog", "cat", "2", ".hidden"});
  CHECK(folder.truths() == std::vector<int>{2, 0, 4});  // sorted by name: 2, cat, dog
}

TEST_CASE("Folders with names of their own are the classes in order where there is one for each") {
  CHECK(ClassFolders({"n03", "n01", "n02"}).truths({"x", "y", "z"}) == std::vector<int>{0, 1, 2});
  const ClassFolders too_few({"n01", "n02"});
  CHECK_THAT(
      refusal([&] {
        (void)too_few.truths({"x", "y", "z"});
      }),
      ContainsSubstring("\"n01\" is no label or index") && ContainsSubstring("2 folders for 3 classes"));
}

TEST_CASE("Class folders that say nothing are refused") {
  const TempFolder empty;
  CHECK_THAT(refusal([&] { (void)read_class_folders(empty.path(), labels); }), ContainsSubstring("--labels"));
  fs::create_directory(empty.path() / "cat");
  CHECK_THAT(refusal([&] { (void)read_class_folders(empty.path(), labels); }), ContainsSubstring("nothing"));
  CHECK_THAT(refusal([] { (void)ClassFolders({"crane"}).truths(); }), ContainsSubstring("classes 1 and 2"));
}
