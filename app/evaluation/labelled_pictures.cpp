#include "evaluation/labelled_pictures.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/csv.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_csv_bytes = 256u << 20;

[[noreturn]] void bad(const std::string& message) {
  throw Error(ExitCode::bad_data, message);
}

/// A text from outside as a message shows it.
std::string shown(const std::string& text) {
  return '"' + escape_control(text.size() <= 80 ? text : text.substr(0, 77) + "...") + '"';
}

void require_folder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return;
  throw Error(ExitCode::no_source, fs::exists(folder, ignored)
                                       ? folder.string() + " is not a folder of pictures"
                                       : "no such folder: " + folder.string());
}

/// From what people write to a class index.
class Classes {
 public:
  explicit Classes(const std::vector<std::string>& labels) : count_(static_cast<int>(labels.size())) {
    for (int i = 0; i < count_; ++i) by_label_[labels[static_cast<std::size_t>(i)]].push_back(i);
  }

  [[nodiscard]] std::optional<int> by_index(const std::string& text) const {
    int index = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped_at, error] = std::from_chars(text.data(), end, index);
    if (error != std::errc{} || stopped_at != end || index < 0 || index >= count_) return std::nullopt;
    return index;
  }

  /// Two classes of ImageNet are called "crane": such a label names neither.
  [[nodiscard]] const std::vector<int>& by_label(const std::string& label) const {
    static const std::vector<int> none;
    const auto found = by_label_.find(label);
    return found == by_label_.end() ? none : found->second;
  }

  [[nodiscard]] int count() const { return count_; }

 private:
  int count_;
  std::map<std::string, std::vector<int>> by_label_;
};

std::string ambiguous(const std::string& label, const std::vector<int>& indices) {
  return shown(label) + " is the label of the classes " + std::to_string(indices[0]) + " and " +
         std::to_string(indices[1]) + " of the model";
}

int class_of_row(const std::string& text, bool is_index, const Classes& classes, const std::string& place) {
  if (is_index) {
    if (const auto index = classes.by_index(text)) return *index;
    bad(place + "expected a class index from 0 to " + std::to_string(classes.count() - 1) + ", got " +
        shown(text));
  }
  const std::vector<int>& indices = classes.by_label(text);
  if (indices.empty()) bad(place + "the model has no label " + shown(text));
  if (indices.size() > 1) bad(place + ambiguous(text, indices) + "; use file,index");
  return indices.front();
}

std::string read_text(const fs::path& csv) {
  std::error_code ignored;
  if (!fs::exists(csv, ignored)) throw Error(ExitCode::no_source, "no such file: " + csv.string());
  if (!fs::is_regular_file(csv, ignored)) bad(csv.string() + " is not a file");
  if (fs::file_size(csv, ignored) > max_csv_bytes)
    bad(csv.string() + " is larger than 256 MiB: not a list of labels");
  std::ifstream in(csv, std::ios::binary);
  if (!in)
    throw Error(ExitCode::no_source, "cannot read " + csv.string() + ": check its permissions with ls -l");
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

/// The files below a class's folder, as paths relative to `root`. Hidden ones are a desktop's, not pictures.
void list_files(const fs::path& root, const fs::path& class_folder, int truth,
                std::vector<LabelledPicture>& pictures) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(class_folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unknown;
    if (entry->path().filename().string().starts_with(".") || !entry->is_regular_file(unknown)) continue;
    pictures.push_back({entry->path().lexically_relative(root).string(), truth});
  }
  if (error)
    throw Error(ExitCode::no_source, class_folder.string() + ": cannot be listed: " + error.message());
}

std::vector<std::string> list_folders(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(".") && entry->is_directory(unknown)) names.push_back(name);
  }
  if (error) throw Error(ExitCode::no_source, folder.string() + ": cannot be listed: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// The class of each folder by its name; empty where one is not named for a class, which is then `unknown`.
std::vector<int> classes_by_name(const std::vector<std::string>& names, const Classes& classes,
                                 const std::string& place, std::string& unknown) {
  std::vector<int> truths;
  for (const std::string& name : names) {
    const std::vector<int>& indices = classes.by_label(name);
    if (indices.size() > 1) bad(place + ambiguous(name, indices) + "; name the folders by index");
    const auto index = indices.empty() ? classes.by_index(name) : indices.front();
    if (!index) {
      unknown = name;
      return {};
    }
    truths.push_back(*index);
  }
  return truths;
}

}  // namespace

std::vector<LabelledPicture> read_labels(const fs::path& csv, const fs::path& folder,
                                         const std::vector<std::string>& labels) {
  require_folder(folder);
  const std::vector<CsvRow> rows = parse_csv(read_text(csv), csv.string());
  if (rows.empty()) bad(csv.string() + " is empty; expected a header file,index or file,label");
  const std::vector<std::string>& header = rows.front().fields;
  const bool is_index = header == std::vector<std::string>{"file", "index"};
  if (!is_index && header != std::vector<std::string>{"file", "label"}) {
    bad(csv.string() + ":" + std::to_string(rows.front().line) +
        ": expected the header file,index or file,label, got " + shown(header.front()) +
        (header.size() > 1 ? "," + shown(header[1]) : ""));
  }
  if (rows.size() == 1) bad(csv.string() + " has a header and no pictures");

  const Classes classes(labels);
  std::vector<LabelledPicture> pictures;
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
    const std::string place = csv.string() + ":" + std::to_string(row->line) + ": ";
    if (row->fields.size() != 2) {
      bad(place + "expected 2 fields, got " + std::to_string(row->fields.size()) +
          "; a field with a comma in it needs quotes");
    }
    const std::string& file = row->fields[0];
    std::error_code ignored;
    if (!fs::is_regular_file(folder / file, ignored))
      bad(place + "no such file: " + shown((folder / file).string()));
    pictures.push_back({file, class_of_row(row->fields[1], is_index, classes, place)});
  }
  return pictures;
}

std::vector<LabelledPicture> read_class_folders(const fs::path& folder,
                                                const std::vector<std::string>& labels) {
  require_folder(folder);
  const std::vector<std::string> names = list_folders(folder);
  if (names.empty())
    bad(folder.string() + " has no folder for each class in it; or name a CSV with --labels");
  const Classes classes(labels);
  std::string unknown;
  std::vector<int> truths = classes_by_name(names, classes, folder.string() + ": ", unknown);
  if (truths.empty()) {
    if (std::ssize(names) != classes.count()) {
      bad(folder.string() + ": the folder " + shown(unknown) +
          " is no label or index of the model, and there are " + std::to_string(names.size()) +
          " folders for " + std::to_string(classes.count()) +
          " classes; name each folder for its class, or name a CSV with --labels");
    }
    for (int i = 0; i < classes.count(); ++i) truths.push_back(i);
  }
  std::vector<LabelledPicture> pictures;
  for (std::size_t i = 0; i < names.size(); ++i) list_files(folder, folder / names[i], truths[i], pictures);
  if (pictures.empty()) bad(folder.string() + ": there is nothing in its folders");
  std::sort(pictures.begin(), pictures.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  return pictures;
}

}  // namespace glimpse
