public import OpenCL

/// What the vendors' libraries said, read in a process of their own and handed over as values.
public struct DriverAnswers: Hashable, Codable, Sendable {
    public var platforms: [PlatformInfo]
    /// Why no platform could be listed; nil when listing worked, even if the list is empty.
    public var problem: String?
    /// NVIDIA's devices by NVML; empty without that library.
    public var nvidia: [NVML.Device]

    public init(
        platforms: [PlatformInfo] = [], problem: String? = nil, nvidia: [NVML.Device] = []
    ) {
        self.platforms = platforms
        self.problem = problem
        self.nvidia = nvidia
    }

    /// Loads every driver into this process and asks it. For child processes only.
    public static func read() -> DriverAnswers {
        let system = OpenCLSystem.read()
        var answers = DriverAnswers(platforms: system.infos, problem: system.problem)
        if let library = try? NVML() { answers.nvidia = library.devices() }
        return answers
    }
}
