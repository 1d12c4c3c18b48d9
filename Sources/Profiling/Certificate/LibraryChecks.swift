internal import Core
internal import Imaging
internal import MeshCodecs

/// Checks of the machine's libraries, which are part of every certificate given on it: they do not
/// touch the device's verdict, but a rig takes tasks that need a codec only where it is right.
public enum LibraryChecks {
    /// One check for each codec file with a known answer.
    public static var all: [Certifier.LibraryCheck] { pictures + meshes }

    private static var meshes: [Certifier.LibraryCheck] {
        zip(MeshKnownAnswers.check(), MeshKnownAnswers.check(isControl: true)).map {
            check($0.name, $0.isRight, $0.found, $0.expected, isControlRight: $1.isRight)
        }
    }

    private static var pictures: [Certifier.LibraryCheck] {
        let answers = ImagingKnownAnswers.check()
        // The same with one bit of each picture wrong: every answer must then be wrong.
        let controls = ImagingKnownAnswers.check(isControl: true)
        return zip(answers, controls).map { answer, control in
            check(
                answer.name, answer.isRight, answer.found, answer.expected,
                isControlRight: control.isRight)
        }
    }

    private static func check(
        _ name: String, _ isRight: Bool, _ found: Hash256?, _ expected: Hash256,
        isControlRight: Bool
    ) -> Certifier.LibraryCheck {
        Certifier.LibraryCheck(name: "codec \(name)") {
            if isControlRight { return "control: a wrong bit was not noticed" }
            if isRight { return nil }
            return "decoded to \(found?.description ?? "nothing: refused"), expected \(expected)"
        }
    }
}
