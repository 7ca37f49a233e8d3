#include "app/filter_catalog.hpp"
#include "commands/commands.hpp"

int main(int argc, char** argv) { return gatehouse::run_cli(argc, argv, gatehouse::filter_sections()); }
