/// What a user chooses of a scene that holds more than one picture.
public struct ImportOptions: Hashable, Sendable {
    /// Seconds on the animations' clock; nil leaves nodes as the file has them at rest.
    public var seconds: Double?
    public var animation: AnimationChoice
    /// KHR_materials_variants, by name; nil takes each primitive's own material.
    public var variant: String?
    /// Whether a mesh that is used often enough is stored once. Else each use is there by itself.
    public var sharesMeshes = true

    public init(
        seconds: Double? = nil, animation: AnimationChoice = .all, variant: String? = nil
    ) {
        self.seconds = seconds
        self.animation = animation
        self.variant = variant
    }
}

/// Which of a file's animations play.
public enum AnimationChoice: Hashable, Sendable {
    /// All of them, in the file's order; one that drives what an earlier one drives is left out.
    case all
    case index(Int)
    case named(String)

    /// From a command line: `all`, a number, or a name.
    public init(argument: String) {
        self =
            argument == "all" ? .all : Int(argument).map { .index($0) } ?? .named(argument)
    }

    /// As a command line says it.
    public var argument: String {
        switch self {
        case .all: "all"
        case .index(let index): String(index)
        case .named(let name): name
        }
    }
}
