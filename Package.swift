// swift-tools-version: 6.2
import PackageDescription

// MARK: - Shorthands

/// A C library installed by the system: a module map and a `shim.h`, nothing else.
func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, exclude: exclude)
}

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")

// MARK: - Package

// Targets stand in the order of ARCHITECTURE.md, from the ground up; arrows point up this list.
let package = Package(
    name: "rigor",
    products: [.executable(name: "rigor", targets: ["rigor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        // C edge
        system("COpenCL", pkgConfig: "OpenCL", apt: "ocl-icd-opencl-dev"),
        system("CHwloc", pkgConfig: "hwloc", apt: "libhwloc-dev"),
        system("CLibCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CSecp256k1", pkgConfig: "libsecp256k1", apt: "libsecp256k1-dev"),
        system("CNettle", pkgConfig: "nettle", apt: "nettle-dev"),
        system("CSpng", pkgConfig: "spng", apt: "libspng-dev"),
        system("COpenEXR", pkgConfig: "OpenEXR", apt: "libopenexr-dev"),
        system("CLibJPEG", pkgConfig: "libjpeg", apt: "libjpeg62-turbo-dev"),
        system("CWebP", pkgConfig: "libwebp", apt: "libwebp-dev"),
        system("CZip", pkgConfig: "libzip", apt: "libzip-dev"),
        system("CMeshopt", apt: "libmeshoptimizer-dev"),
        .target(name: "CLinux"),
        .target(name: "CJPEGShims", dependencies: ["CLibJPEG"]),
        .target(name: "CDracoShims", linkerSettings: [.linkedLibrary("draco")]),
        .target(
            name: "Kernels", path: "Kernels",
            exclude: ["README.md"], sources: ["kernels.c"], publicHeadersPath: "include"),
        .target(
            name: "Profiles", path: "Profiles",
            exclude: ["README.md"], sources: ["profiles.c"], publicHeadersPath: "include"),

        .target(
            name: "Examples", path: "Examples",
            exclude: ["digits", "scene"], sources: ["examples.c"], publicHeadersPath: "include"),

        // Ground
        module("Core"),
        // fma is a call into libm where the target need not have the instruction.
        .target(name: "Exact", linkerSettings: [.linkedLibrary("m")]),
        module("SoftFloat"),
        module("Files", ["Core", "Examples"]),
        module("Digest", ["Core", "CLibCrypto", "CNettle"]),
        module("Ethereum", ["Core", "Digest", "CSecp256k1"]),
        module("Contribution", ["Core", "Digest", "Ethereum"]),
        module("Wallet", ["Core", "Digest", "Ethereum", "CLibCrypto", "CSecp256k1"]),
        module("HostProtocol", ["Core", "Digest", "Files", "CLinux"]),

        // Machine
        module("OpenCL", ["Core", "COpenCL"]),
        module("Hardware", ["Core", "OpenCL", "CHwloc"]),
        module("Compute", ["CLinux", "Core", "Digest", "Kernels", "Profiles", "OpenCL", "Exact"]),
        module("Imaging", ["Core", "Digest", "Exact", "CSpng", "COpenEXR", "CWebP", "CJPEGShims"]),
        module("MeshCodecs", ["Core", "Digest", "CMeshopt", "CDracoShims"]),

        // Apps
        module(
            "Rendering",
            [
                "Core", "Digest", "Exact", "Files", "Kernels", "Compute", "Imaging", "MeshCodecs",
            ]),
        module(
            "Inference",
            [
                "CZip", "Core", "Digest", "Exact", "Files", "Kernels", "Compute", "Imaging",
                protobuf,
            ]),
        module("Training", ["Core", "Digest", "Exact", "Files", "Compute", "Inference"]),
        module("Serving", ["Core", "Compute", "Inference"]),
        module("ServingHTTP", ["Core", "Files", "Serving", nioCore, nioPosix, nioHTTP]),
        module("Toy", ["Core", "Digest", "Kernels", "Compute"]),
        module(
            "Profiling",
            [
                "Core", "Digest", "Exact", "Files", "Kernels", "OpenCL", "Hardware", "Compute",
                "Imaging", "MeshCodecs", "Rendering", "Inference", "SoftFloat",
            ]),

        // Hosts
        module("PrepareHost", ["Core", "Digest", "HostProtocol", "Compute"]),
        module(
            "DeviceHost",
            [
                "Core", "Digest", "HostProtocol", "OpenCL", "Hardware", "Compute", "Profiling",
            ]),

        // Market
        module("Ledger", ["Core", "Digest", "Ethereum", "Contribution", grdb]),
        module(
            "PoolProtocol",
            [
                "Core", "Digest", "Files", "Ethereum", "Contribution", "HostProtocol", "Ledger",
            ]),
        module(
            "Agent",
            [
                "Core", "Digest", "Files", "Ethereum", "Contribution", "Wallet", "HostProtocol",
                "Ledger", "PoolProtocol", grdb,
            ]),
        module(
            "Pool",
            [
                "Core", "Digest", "Files", "Ethereum", "Contribution", "Wallet", "HostProtocol",
                "Ledger", "PoolProtocol", grdb,
            ]),
        module("RigorTestKit", ["Core", "Compute", "OpenCL", "Hardware", "Exact"]),

        // Program
        .executableTarget(
            name: "rigor",
            dependencies: [
                "CLinux", "Core", "Digest", "Exact", "Files", "Ethereum",
                "Contribution", "Wallet",
                "HostProtocol", "OpenCL", "Hardware", "Compute", "Imaging", "Rendering",
                "Inference", "Training", "Serving", "ServingHTTP", "Profiling", "Toy",
                "PrepareHost",
                "DeviceHost", "Ledger",
                "PoolProtocol", "Agent", "Pool", argumentParser,
            ]),

        // Tests
        .target(
            name: "MarketTestKit",
            dependencies: ["Core", "Digest", "Ethereum", "Contribution", "Wallet"],
            path: "Tests/MarketTestKit"),
        .target(name: "ProgramTestKit", path: "Tests/ProgramTestKit"),
        tests("Core", ["Core"]),
        tests("Exact", ["Core", "Digest", "Exact", "SoftFloat", "Compute", "RigorTestKit"]),
        tests("SoftFloat", ["Core", "SoftFloat"]),
        tests("OpenCL", ["Core", "OpenCL", "RigorTestKit"]),
        tests("Compute", ["Core", "Digest", "OpenCL", "Compute", "RigorTestKit"]),
        tests(
            "DeviceHost",
            [
                "Core", "Digest", "HostProtocol", "Compute", "Profiling", "Toy", "PrepareHost",
                "DeviceHost",
            ]),
        tests(
            "Agent",
            [
                "Core", "Digest", "Ethereum", "Contribution", "Wallet", "HostProtocol",
                "PoolProtocol", "Agent", "MarketTestKit",
            ]),
        tests(
            "Integration",
            [
                "Core", "Digest", "Ethereum", "Contribution", "Ledger", "Agent", "MarketTestKit",
                "ProgramTestKit",
            ]),
        tests("Pool", ["Core", "Ethereum", "Contribution", "Wallet", "Pool", "MarketTestKit"]),
        tests(
            "Profiling", ["Core", "Digest", "OpenCL", "Compute", "Profiling", "RigorTestKit"]),
        tests("Digest", ["Core", "Digest"]),
        tests("Tidy"),
        .executableTarget(
            name: "LedgerWriter",
            dependencies: [
                "Core", "Ethereum", "Contribution", "Wallet", "Ledger", "MarketTestKit",
            ],
            path: "Tests/LedgerWriter"),
        tests("Ethereum", ["Core", "Digest", "Ethereum"]),
        tests(
            "Contribution",
            [
                "Core", "Digest", "Ethereum", "Contribution", "Wallet", "MarketTestKit",
            ]),
        tests("Wallet", ["Core", "Digest", "Ethereum", "Wallet", "MarketTestKit"]),
        tests(
            "Ledger",
            [
                "Core", "Digest", "Ethereum", "Contribution", "Wallet", "Ledger", "MarketTestKit",
                "LedgerWriter", grdb,
            ]),
        tests("Imaging", ["Core", "Digest", "Imaging"]),
        tests("MeshCodecs", ["Core", "Digest", "MeshCodecs"]),
        tests("Command", ["ProgramTestKit", "Core", "Imaging", "PoolProtocol", "Rendering"]),
        tests(
            "Golden",
            [
                "Core", "Digest", "Compute", "Rendering", "Inference", "Training", "Toy",
                "RigorTestKit",
            ]),
        tests("Hardware", ["Core", "OpenCL", "Hardware"], exclude: ["Fixtures"]),
        tests("HostProtocol", ["Core", "Digest", "HostProtocol"]),
        tests(
            "Rendering",
            [
                "Core", "Digest", "Exact", "Imaging", "MeshCodecs", "Compute", "Rendering",
                "RigorTestKit",
            ]),
        tests("Fuzz", ["Core", "Imaging", "MeshCodecs", "Rendering"]),
        tests(
            "Training",
            [
                "Core", "Digest", "Files", "Compute", "Inference", "Training", "RigorTestKit",
                "ProgramTestKit",
            ], exclude: ["Fixtures"]),
        tests(
            "Serving",
            [
                "Core", "Compute", "Inference", "Serving", "ServingHTTP", "RigorTestKit",
                "ProgramTestKit",
            ],
            exclude: ["Fixtures", "triton_client.py"]),
        tests(
            "Inference",
            [
                "Core", "Digest", "Exact", "Files", "Compute", "Imaging", "Inference",
                "RigorTestKit",
            ],
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x,
    cxxLanguageStandard: .cxx17
)

// MARK: - Settings

// Warnings are errors where we check ourselves (`make lint`, CI), never in a newcomer's build.
let strict = Context.environment["RIGOR_STRICT"] != nil
let swiftSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

let clangTargets: Set<String> = [
    "Kernels", "Profiles", "Examples", "CLinux", "CJPEGShims", "CDracoShims",
]
for target in package.targets
where [.regular, .executable, .test].contains(target.type) && !clangTargets.contains(target.name) {
    target.swiftSettings = swiftSettings
}

// `RIGOR_ONLY="Exact Core" swift test` keeps those modules' tests and what they stand on: on a
// small machine that is the difference between seconds and minutes after an edit.
if let only = Context.environment["RIGOR_ONLY"] {
    let named = Set(only.split(separator: " ").flatMap { ["\($0)", "\($0)Tests"] })
    let byName = Dictionary(uniqueKeysWithValues: package.targets.map { ($0.name, $0) })
    var kept: Set<String> = []
    var pending = named.filter { byName[$0] != nil }
    while let name = pending.popFirst() {
        guard kept.insert(name).inserted, let target = byName[name] else { continue }
        for case .byNameItem(let dependency, _) in target.dependencies {
            pending.insert(dependency)
        }
    }
    package.targets = package.targets.filter { kept.contains($0.name) }
    if !kept.contains("rigor") { package.products = [] }
}
