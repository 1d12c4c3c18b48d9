internal import Core
internal import Imaging

/// Checks of the machine's libraries, which are part of every certificate given on it: they do not
/// touch the device's verdict, but a rig takes tasks that need a codec only where it is right.
public enum LibraryChecks {
    /// One check for each codec file with a known answer.
    public static var all: [Certifier.LibraryCheck] {
        let answers = ImagingKnownAnswers.check()
        // The same with one bit of each picture wrong: every answer must then be wrong.
        let controls = ImagingKnownAnswers.check(isControl: true)
        return zip(answers, controls).map { answer, control in
            Certifier.LibraryCheck(name: "codec \(answer.name)") {
                if control.isRight { return "control: a wrong bit was not noticed" }
                if answer.isRight { return nil }
                let found = answer.found.map(\.description) ?? "refused"
                return "pixels \(found), expected \(answer.expected)"
            }
        }
    }
}
