// Encodes a small mesh for make_known_answers.py, and what it must decode to:
// encode_draco METHOD FILE ANSWER; compile with -ffp-contract=off.
//
// A bent grid with positions (11 bits), normals (8 bits), coordinates (10 bits), joints as bytes and
// one attribute of plain floats.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <draco/attributes/attribute_octahedron_transform.h>
#include <draco/attributes/attribute_quantization_transform.h>
#include <draco/compression/decode.h>
#include <draco/compression/expert_encode.h>
#include <draco/mesh/triangle_soup_mesh_builder.h>

static void put(std::FILE *file, const void *bytes, size_t count)
{
    if (std::fwrite(bytes, 1, count, file) != count) std::abort();
}

static void put_unit(std::FILE *file, const int32_t *stored, int bits)
{
    const double scale = 2.0 / ((1 << bits) - 2);
    double y = stored[0] * scale - 1, z = stored[1] * scale - 1;
    const double x = (1 - std::fabs(y)) - std::fabs(z), fold = std::fmax(-x, 0);
    y += y < 0 ? fold : -fold;
    z += z < 0 ? fold : -fold;
    const double length = std::sqrt((x * x + y * y) + z * z);
    const float out[3] = {float(x / length), float(y / length), float(z / length)};
    put(file, out, sizeof out);
}

// Corners, then each attribute by id: integers as they are, quantised values as floats.
static void answer(const draco::EncoderBuffer &encoded, std::FILE *file)
{
    draco::DecoderBuffer buffer;
    buffer.Init(encoded.data(), encoded.size());
    draco::Decoder decoder;
    for (int kind = 0; kind < draco::GeometryAttribute::NAMED_ATTRIBUTES_COUNT; kind++)
        decoder.SetSkipAttributeTransform(static_cast<draco::GeometryAttribute::Type>(kind));
    auto mesh = std::move(decoder.DecodeMeshFromBuffer(&buffer)).value();
    for (draco::FaceIndex face(0); face < mesh->num_faces(); ++face)
        for (int corner = 0; corner < 3; corner++) {
            const uint32_t point = mesh->face(face)[corner].value();
            put(file, &point, sizeof point);
        }
    for (uint32_t id = 0; id < 5; id++) {
        const draco::PointAttribute &found = *mesh->GetAttributeByUniqueId(id);
        const int components = found.num_components();
        draco::AttributeQuantizationTransform quantized;
        draco::AttributeOctahedronTransform octahedral;
        const auto *data = found.GetAttributeTransformData();
        const int type = data ? data->transform_type() : draco::ATTRIBUTE_NO_TRANSFORM;
        if (type == draco::ATTRIBUTE_QUANTIZATION_TRANSFORM) quantized.InitFromAttribute(found);
        if (type == draco::ATTRIBUTE_OCTAHEDRON_TRANSFORM) octahedral.InitFromAttribute(found);
        for (draco::PointIndex point(0); point < mesh->num_points(); ++point) {
            int32_t stored[4];
            const auto index = found.mapped_index(point);
            if (found.data_type() == draco::DT_FLOAT32) {
                found.GetValue(index, stored);
                put(file, stored, 4 * components);
                continue;
            }
            found.ConvertValue<int32_t>(index, components, stored);
            if (type == draco::ATTRIBUTE_OCTAHEDRON_TRANSFORM) {
                put_unit(file, stored, octahedral.quantization_bits());
            } else if (type == draco::ATTRIBUTE_QUANTIZATION_TRANSFORM) {
                const float step =
                    quantized.range() / float((1 << quantized.quantization_bits()) - 1);
                for (int lane = 0; lane < components; lane++) {
                    const float scaled = float(stored[lane]) * step;
                    const float value = scaled + quantized.min_value(lane);
                    put(file, &value, sizeof value);
                }
            } else {
                put(file, stored, 4 * components);
            }
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 4) return 64;
    const bool is_sequential = !std::strcmp(arguments[1], "sequential");
    const int side = 5;
    draco::TriangleSoupMeshBuilder builder;
    builder.Start(side * side * 2);
    const int position = builder.AddAttribute(draco::GeometryAttribute::POSITION, 3, draco::DT_FLOAT32);
    const int normal = builder.AddAttribute(draco::GeometryAttribute::NORMAL, 3, draco::DT_FLOAT32);
    const int uv = builder.AddAttribute(draco::GeometryAttribute::TEX_COORD, 2, draco::DT_FLOAT32);
    const int joints = builder.AddAttribute(draco::GeometryAttribute::GENERIC, 4, draco::DT_UINT8);
    const int plain = builder.AddAttribute(draco::GeometryAttribute::GENERIC, 1, draco::DT_FLOAT32);
    int face = 0;
    for (int row = 0; row < side; row++)
        for (int column = 0; column < side; column++)
            for (int half = 0; half < 2; half++, face++) {
                const int dx[2][3] = {{0, 1, 0}, {1, 1, 0}}, dy[2][3] = {{0, 0, 1}, {0, 1, 1}};
                float p[3][3], n[3][3], t[3][2], f[3];
                unsigned char j[3][4];
                for (int corner = 0; corner < 3; corner++) {
                    const int x = column + dx[half][corner], y = row + dy[half][corner];
                    const float angle = 0.4f * x;
                    const float at[3] = {std::sin(angle), 0.3f * y, std::cos(angle)};
                    std::memcpy(p[corner], at, sizeof at);
                    const float out[3] = {std::sin(angle), 0, std::cos(angle)};
                    std::memcpy(n[corner], out, sizeof out);
                    t[corner][0] = x / 5.0f;
                    t[corner][1] = y / 5.0f;
                    for (int lane = 0; lane < 4; lane++) j[corner][lane] = (x * 7 + y * 3 + lane) % 5;
                    f[corner] = 0.1f * x - y;
                }
                const draco::FaceIndex index(face);
                builder.SetAttributeValuesForFace(position, index, p[0], p[1], p[2]);
                builder.SetAttributeValuesForFace(normal, index, n[0], n[1], n[2]);
                builder.SetAttributeValuesForFace(uv, index, t[0], t[1], t[2]);
                builder.SetAttributeValuesForFace(joints, index, j[0], j[1], j[2]);
                builder.SetAttributeValuesForFace(plain, index, &f[0], &f[1], &f[2]);
            }
    std::unique_ptr<draco::Mesh> mesh = builder.Finalize();
    draco::ExpertEncoder encoder(*mesh);
    encoder.SetEncodingMethod(
        is_sequential ? draco::MESH_SEQUENTIAL_ENCODING : draco::MESH_EDGEBREAKER_ENCODING);
    encoder.SetSpeedOptions(is_sequential ? 8 : 0, is_sequential ? 8 : 0);
    encoder.SetAttributeQuantization(position, 11);
    encoder.SetAttributeQuantization(normal, 8);
    encoder.SetAttributeQuantization(uv, 10);
    draco::EncoderBuffer buffer;
    if (!encoder.EncodeToBuffer(&buffer).ok()) return 1;
    std::FILE *file = std::fopen(arguments[2], "wb");
    put(file, buffer.data(), buffer.size());
    std::fclose(file);
    file = std::fopen(arguments[3], "wb");
    answer(buffer, file);
    std::fclose(file);
    return 0;
}
