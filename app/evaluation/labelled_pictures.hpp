// Pictures of which is known what they show.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glimpse {

struct LabelledPicture {
  std::string file;  // relative to the folder, as its list names it
  int truth = 0;     // class index
};

/// The rows of a CSV with the header `file,index` or `file,label`. `labels`: the model's, one for each class.
/// Every row is checked before the first picture is needed. Throws Error(no_source) where `folder` or `csv`
/// is missing, Error(bad_data) naming the line for anything else.
[[nodiscard]] std::vector<LabelledPicture> read_labels(const std::filesystem::path& csv,
                                                       const std::filesystem::path& folder,
                                                       const std::vector<std::string>& labels);

/// All files below a folder that has a folder for each class, sorted. Each is named for a label or an index
/// of the model; or there are exactly as many as classes, then their sorted order is the index, as
/// torchvision's ImageFolder has it. Throws as read_labels() does.
[[nodiscard]] std::vector<LabelledPicture> read_class_folders(const std::filesystem::path& folder,
                                                              const std::vector<std::string>& labels);

}  // namespace glimpse
