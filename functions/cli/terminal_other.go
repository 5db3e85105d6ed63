//go:build !unix

package cli

import "os"

// terminalWidth is not known here: tables are printed whole unless COLUMNS says how wide to print.
func terminalWidth(*os.File) int { return 0 }
