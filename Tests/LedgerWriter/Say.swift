internal import Foundation

/// Unbuffered, so that nothing said is lost with the process.
func say(_ line: String) { FileHandle.standardOutput.write(Data(line.utf8)) }
