public import Core
internal import Foundation
internal import Profiles

/// Profiles in the order in which they are applied.
public struct DeviceProfiles: Sendable {
    public let profiles: [DeviceProfile]

    /// Those in the program.
    public static let shipped: DeviceProfiles = {
        do throws(Failure) {
            var count = 0
            guard let files = rigor_profile_files(&count) else { return DeviceProfiles([]) }
            var profiles: [DeviceProfile] = []
            for file in UnsafeBufferPointer(start: files, count: count) {
                profiles.append(
                    try DeviceProfile(
                        name: String(cString: file.name),
                        json: Bytes(String(cString: file.text).utf8)))
            }
            return DeviceProfiles(profiles)
        } catch {
            // Tests read every one; a program with a broken profile is not released.
            preconditionFailure("\(error)")
        }
    }()

    private init(_ profiles: [DeviceProfile]) {
        self.profiles = profiles.enumerated().sorted {
            ($0.element.match.weight, $0.offset) < ($1.element.match.weight, $1.offset)
        }.map(\.element)
    }

    private init(applying profiles: [DeviceProfile], after shipped: DeviceProfiles) {
        self.profiles = shipped.profiles + DeviceProfiles(profiles).profiles
    }

    /// The shipped ones, and after them a user's: every `.json` file of `folder`. A folder that is
    /// not there holds none.
    ///
    /// - Throws: ``Failure`` naming the file that cannot be read, and what was expected in it.
    public static func shipped(andThoseIn folder: String) throws(Failure) -> DeviceProfiles {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".json") }.sorted()
        var own: [DeviceProfile] = []
        for name in names {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
                throw Failure(.io, "\(folder)/\(name): cannot be read")
            }
            do throws(Failure) {
                own.append(try DeviceProfile(name: String(name.dropLast(5)), json: Bytes(data)))
            } catch {
                throw error.at(folder)
            }
        }
        return DeviceProfiles(applying: own, after: shipped)
    }

    /// What suits a device: of each value, what the last profile says that speaks of it.
    public func tuning(for device: DeviceDescription) -> Tuning {
        Tuning(
            profiles.filter { $0.match.holds(for: device) }.reduce(into: [:]) { values, profile in
                values.merge(profile.tuning) { _, later in later }
            })
    }

    /// Figures of devices of this name that profiles hold; the last profile's where several do.
    public func figures(for device: DeviceDescription) -> [String: Double] {
        profiles.filter { $0.match.holds(for: device) }.flatMap(\.measured)
            .filter { $0.device == device.name }
            .reduce(into: [:]) { $0.merge($1.figures) { _, later in later } }
    }
}
